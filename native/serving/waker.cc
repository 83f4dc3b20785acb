#include "serving/waker.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace cloudeasyml::serving {

Waker::Waker() {
#ifdef __linux__
  readEnd_ = writeEnd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (readEnd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
#else
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  for (const int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  readEnd_ = ends[0];
  writeEnd_ = ends[1];
#endif
}

Waker::~Waker() {
  close(readEnd_);
  if (writeEnd_ != readEnd_) close(writeEnd_);
}

void Waker::wake() noexcept {
  const uint64_t one = 1;
  // Where the pipe or counter is full it is readable already.
  [[maybe_unused]] const auto written = write(writeEnd_, &one, sizeof one);
}

Wake Waker::sleep(int otherFd, int timeoutMs) noexcept {
  pollfd fds[] = {{readEnd_, POLLIN, 0}, {otherFd, POLLIN, 0}};
  if (poll(fds, 2, timeoutMs) <= 0) return Wake::kTimeout;
  if (fds[0].revents != 0) clear();
  return fds[1].revents != 0 ? Wake::kOther : Wake::kWoken;
}

void Waker::clear() noexcept {
  uint64_t count;
  while (read(readEnd_, &count, sizeof count) > 0 && writeEnd_ != readEnd_) {
  }
}

}  // namespace cloudeasyml::serving
