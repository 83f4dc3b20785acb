// How the operating system treats the threads that run models.
#pragma once

#ifdef __linux__
#include <pthread.h>
#endif

namespace cloudeasyml::serving {

/// Marks the calling thread as compute-bound, so that it does not preempt the thread that wakes it.
/// Socket threads wake workers every few requests. Where cores are scarce, each wake-up would stop
/// the sockets or their clients, and the context switches would cost more than the requests. The
/// thread still gets an idle core at once and its share of a busy one. A policy that the process
/// was given is kept. Linux only.
inline void markComputeThread() noexcept {
#ifdef __linux__
  int policy;
  sched_param parameters;
  if (pthread_getschedparam(pthread_self(), &policy, &parameters) != 0) return;
  if (policy == SCHED_OTHER) pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
#endif
}

}  // namespace cloudeasyml::serving
