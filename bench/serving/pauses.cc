// What the machine takes from whoever runs on it: threads that only read the clock, one on each CPU
// that this process may use, and how long they were kept from it. After jHiccup (G. Tene), with a
// busy loop in place of a sleep: a machine that has something to do pauses otherwise than an idle
// one.
//
// pauses <seconds>
//
// Prints {"cpus", "seconds", "thresholdUs", "pauses", "share", "longestUs"}: of all threads' time,
// the share that went by in gaps of at least the threshold.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

// Shorter ones are interrupts.
constexpr int64_t kThresholdNs = 100'000;

int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Pauses {
  int64_t count = 0;
  int64_t sumNs = 0;
  int64_t longestNs = 0;
};

Pauses watch(int64_t untilNs) {
  Pauses found;
  int64_t last = nowNs();
  while (last < untilNs) {
    const int64_t now = std::min(nowNs(), untilNs);
    const int64_t gap = now - last;
    last = now;
    if (gap < kThresholdNs) continue;
    ++found.count;
    found.sumNs += gap;
    found.longestNs = std::max(found.longestNs, gap);
  }
  return found;
}

std::vector<int> allowedCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace

int main(int count, char** arguments) {
  const double seconds = count == 2 ? std::atof(arguments[1]) : 0;
  if (seconds <= 0) {
    std::fprintf(stderr, "Usage: pauses <seconds>\n");
    return 2;
  }
  const auto cpus = allowedCpus();
  std::vector<Pauses> found(cpus.size());
  std::vector<std::thread> threads;
  const int64_t untilNs = nowNs() + static_cast<int64_t>(seconds * 1e9);
  for (size_t i = 0; i < cpus.size(); ++i) {
    threads.emplace_back([&, i] {
      cpu_set_t own;
      CPU_ZERO(&own);
      CPU_SET(cpus[i], &own);
      pthread_setaffinity_np(pthread_self(), sizeof own, &own);
      found[i] = watch(untilNs);
    });
  }
  for (auto& thread : threads) thread.join();
  Pauses all;
  for (const auto& each : found) {
    all.count += each.count;
    all.sumNs += each.sumNs;
    all.longestNs = std::max(all.longestNs, each.longestNs);
  }
  const double time = seconds * 1e9 * static_cast<double>(cpus.size());
  std::printf(
      "{\"cpus\": %zu, \"seconds\": %g, \"thresholdUs\": %g, \"pauses\": %lld, \"share\": %.6f, "
      "\"longestUs\": %.0f}\n",
      cpus.size(), seconds, static_cast<double>(kThresholdNs) / 1e3,
      static_cast<long long>(all.count), static_cast<double>(all.sumNs) / time,
      static_cast<double>(all.longestNs) / 1e3);
  return 0;
}
