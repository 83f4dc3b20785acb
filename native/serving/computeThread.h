// How the operating system treats the threads that run models.
#pragma once

#ifdef __linux__
#include <pthread.h>
#endif

namespace cloudeasyml::serving {

/// Marks the calling thread as one that computes, so that it doesn't interrupt the thread that
/// wakes it. Sockets' threads wake workers with every few requests they read. Where cores are
/// short, each wake-up would otherwise stop the sockets or their clients for what can as well be
/// done when they pause; and the interrupts that this takes cost more than the requests. Its share
/// of a busy core, and an idle core at once, it gets like any other thread. A policy that the
/// process was given is left alone; other systems know of no such thing.
inline void markComputeThread() noexcept {
#ifdef __linux__
  int policy;
  sched_param parameters;
  if (pthread_getschedparam(pthread_self(), &policy, &parameters) != 0) return;
  if (policy == SCHED_OTHER) pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
#endif
}

}  // namespace cloudeasyml::serving
