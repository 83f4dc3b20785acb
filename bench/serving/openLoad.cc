// One generator of an open loop: sends requests at the moments of a Poisson process, whatever
// becomes of the earlier ones, over keep-alive connections of one request at a time.
//
//   openLoad <IPv4 address> <port> <request file> <arrivals per second> <warm-up seconds> <seconds>
//   <connections> <seed> <times file>
//
// The request file holds a request's bytes. What arrives in the warm-up is sent and answered like
// the rest, but not counted. The times file gets float64 numbers, seven for each counted answer:
// its status, and in microseconds its latency, the time from its intended start until its bytes
// were written, the generator's lateness, and the server's queue, batch and compute (NaN where it
// tells none). Prints JSON: all requests answered, failed, and those of the latter that got no
// answer, the answers per second after the warm-up, and the CPU time of this thread by the time
// that passed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "httpAnswer.h"

namespace {

/// How long answers may take after the last arrival.
constexpr int kDrainSeconds = 10;
/// Lets the connections come to rest first.
constexpr double kLeadSeconds = 0.05;
constexpr size_t kFields = 7;

struct Order {
  const char* host;
  uint16_t port;
  std::string request;
  double arrivalsPerSecond;
  double warmUpSeconds;
  double seconds;
  size_t connections;
  uint64_t seed;
  const char* timesFile;
};

std::system_error systemError(const char* what) {
  return std::system_error(errno, std::generic_category(), what);
}

double cpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// A TCP connection with at most one request on its way.
struct Connection {
  int socket = -1;
  bool isFree = true;
  size_t arrival = 0;
  size_t written = 0;
  double sentAt = 0;
  bool waitsToWrite = false;
  bench::AnswerReader reader;
};

class OpenLoad {
 public:
  explicit OpenLoad(const Order& order) : order_(order), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (poll_ < 0) throw systemError("epoll_create1");
    // Sleeps end on time, not up to 50 µs later.
    prctl(PR_SET_TIMERSLACK, 1);
    drawArrivals();
    times_.reserve(arrivals_.size() * kFields);
    noticedAt_.resize(arrivals_.size());
    connections_.resize(order.connections);
    for (auto& connection : connections_) {
      open(connection);
      free_.push_back(&connection);
    }
  }

  ~OpenLoad() {
    for (const auto& connection : connections_) close(connection.socket);
    close(poll_);
  }

  OpenLoad(const OpenLoad&) = delete;
  OpenLoad& operator=(const OpenLoad&) = delete;

  void run() {
    origin_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(kLeadSeconds));
    const double deadline = order_.warmUpSeconds + order_.seconds + kDrainSeconds;
    const double cpuBefore = cpuSeconds();
    std::array<epoll_event, 256> events;
    while (ended_ < arrivals_.size() && now() < deadline && failure_.empty()) {
      sendDue();
      // glibc has a name for it since 2.35 only.
      const long count =
          syscall(SYS_epoll_pwait2, poll_, events.data(), events.size(), untilNext(), nullptr, 0);
      if (count < 0 && errno != EINTR) throw systemError("epoll_pwait2");
      for (long index = 0; index < count; ++index) {
        auto& connection = *static_cast<Connection*>(events[index].data.ptr);
        if (events[index].events & EPOLLOUT) write(connection);
        if (events[index].events & ~EPOLLOUT) read(connection);
      }
    }
    const double share = (cpuSeconds() - cpuBefore) / (now() + kLeadSeconds);
    report(share);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Seconds since the first arrival; negative before it.
  double now() const { return std::chrono::duration<double>(Clock::now() - origin_).count(); }

  void drawArrivals() {
    std::mt19937_64 random(order_.seed);
    std::exponential_distribution<double> gap(order_.arrivalsPerSecond);
    const double end = order_.warmUpSeconds + order_.seconds;
    for (double at = 0; at < end; at += gap(random)) arrivals_.push_back(at);
    firstCounted_ = static_cast<size_t>(
        std::lower_bound(arrivals_.begin(), arrivals_.end(), order_.warmUpSeconds) -
        arrivals_.begin());
  }

  void open(Connection& connection) {
    connection.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection.socket < 0) throw systemError("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(order_.port);
    if (inet_pton(AF_INET, order_.host, &address.sin_addr) != 1) {
      throw std::runtime_error(std::string(order_.host) + " is no IPv4 address.");
    }
    if (connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw systemError("connect");
    }
    const int on = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
  }

  void watch(Connection& connection, int operation, uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &connection;
    if (epoll_ctl(poll_, operation, connection.socket, &event) != 0) throw systemError("epoll_ctl");
  }

  /// The time until the next arrival, or null for as long as it takes.
  const timespec* untilNext() {
    const bool none = next_ == arrivals_.size();
    const double left = none ? 0.1 : std::max(0.0, arrivals_[next_] - now());
    wait_.tv_sec = static_cast<time_t>(left);
    wait_.tv_nsec = static_cast<long>((left - static_cast<double>(wait_.tv_sec)) * 1e9);
    return &wait_;
  }

  void sendDue() {
    const double at = now();
    while (next_ < arrivals_.size() && arrivals_[next_] <= at) noticedAt_[next_++] = at;
    while (unsent_ < next_ && !free_.empty()) {
      Connection& connection = *free_.back();
      free_.pop_back();
      connection.isFree = false;
      connection.arrival = unsent_++;
      connection.written = 0;
      write(connection);
    }
  }

  void write(Connection& connection) {
    const auto& request = order_.request;
    const auto count = send(connection.socket, request.data() + connection.written,
                            request.size() - connection.written, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return fail(std::strerror(errno));
    if (count > 0) connection.written += static_cast<size_t>(count);
    const bool waits = connection.written < request.size();
    if (!waits) connection.sentAt = now();
    if (waits == connection.waitsToWrite) return;
    connection.waitsToWrite = waits;
    watch(connection, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void read(Connection& connection) {
    const auto count = recv(connection.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 && connection.isFree) return reopen(connection);
    if (count < 0) return fail(std::strerror(errno));
    if (count == 0) return fail("The server closed the connection.");
    const auto answer = connection.reader.read({buffer_.data(), static_cast<size_t>(count)});
    if (!answer) return;
    const double at = now();
    ++ended_;
    lastAnswer_ = at;
    note(connection, *answer, at);
    connection.isFree = true;
    free_.push_back(&connection);
  }

  /// Servers close connections on which nothing has come for a while.
  void reopen(Connection& connection) {
    close(connection.socket);
    try {
      open(connection);
    } catch (const std::system_error& error) {
      fail(error.what());
    }
  }

  void note(const Connection& connection, const bench::Answer& answer, double at) {
    if (answer.status != 200) {
      ++refused_;
      if (refusal_.empty()) refusal_ = "The server answered " + std::to_string(answer.status) + ".";
    } else if (at >= order_.warmUpSeconds) {
      ++answersAfterWarmUp_;
    }
    if (connection.arrival < firstCounted_) return;
    times_.push_back(answer.status);
    const double intended = arrivals_[connection.arrival];
    for (const double seconds :
         {at - intended, connection.sentAt - intended, noticedAt_[connection.arrival] - intended}) {
      times_.push_back(seconds * 1e6);
    }
    for (const double ms : {answer.queue, answer.batch, answer.compute}) times_.push_back(ms * 1e3);
  }

  void fail(const std::string& message) {
    if (failure_.empty()) failure_ = message;
  }

  void report(double share) const {
    std::ofstream file(order_.timesFile, std::ios::binary);
    file.write(reinterpret_cast<const char*>(times_.data()),
               static_cast<std::streamsize>(times_.size() * sizeof(double)));
    if (!file.flush()) throw std::runtime_error(std::string("Can't write ") + order_.timesFile);
    // What has no answer by now counts as a failure: leaving it out would flatter the tail.
    const size_t lost = arrivals_.size() - ended_;
    const size_t failures = lost + refused_;
    std::string failure = failure_.empty() ? refusal_ : failure_;
    if (failures > 0 && failure.empty()) {
      failure =
          "No answer came within " + std::to_string(kDrainSeconds) + " s after the last arrival.";
    }
    const double seconds = std::max(1e-9, lastAnswer_ - order_.warmUpSeconds);
    std::printf(
        "{\"answered\": %zu, \"failures\": %zu, \"lost\": %zu, \"failure\": \"%s\", "
        "\"answersPerSecond\": %.1f, \"generatorLoad\": %.4f}\n",
        ended_ - refused_, failures, lost, failure.c_str(),
        static_cast<double>(answersAfterWarmUp_) / seconds, share);
  }

  const Order& order_;
  int poll_;
  Clock::time_point origin_;
  timespec wait_{};
  /// Seconds from the first.
  std::vector<double> arrivals_;
  size_t firstCounted_ = 0;
  /// When the generator came to each arrival.
  std::vector<double> noticedAt_;
  /// The next arrival that nobody has come to yet.
  size_t next_ = 0;
  /// Arrivals that wait for a connection are from here to `next_`.
  size_t unsent_ = 0;
  size_t ended_ = 0;
  size_t refused_ = 0;
  size_t answersAfterWarmUp_ = 0;
  double lastAnswer_ = 0;
  std::string refusal_;
  /// What ended the load early.
  std::string failure_;
  std::vector<Connection> connections_;
  std::vector<Connection*> free_;
  std::vector<double> times_;
  std::array<char, 64 * 1024> buffer_;
};

std::string readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("Can't read ") + path + ".");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 10) {
    std::fprintf(stderr,
                 "Usage: openLoad <IPv4 address> <port> <request file> <arrivals per second> "
                 "<warm-up seconds> <seconds> <connections> <seed> <times file>\n");
    return 2;
  }
  try {
    const Order order{arguments[1],
                      static_cast<uint16_t>(std::stoul(arguments[2])),
                      readFile(arguments[3]),
                      std::stod(arguments[4]),
                      std::stod(arguments[5]),
                      std::stod(arguments[6]),
                      std::stoul(arguments[7]),
                      std::stoull(arguments[8]),
                      arguments[9]};
    OpenLoad(order).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
