// Waking a thread that sleeps in poll().
#pragma once

namespace cloudeasyml::serving {

/// Why a sleep ended.
enum class Wake {
  kWoken,
  /// The other descriptor is readable.
  kOther,
  kTimeout,
};

/// A file descriptor that becomes readable when another thread calls wake(). A wake() before the
/// sleep ends it at once; several count as one.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  void wake() noexcept;

  /// Sleeps until wake() was called, `otherFd` is readable, or `timeoutMs` has passed (-1: never).
  Wake sleep(int otherFd, int timeoutMs) noexcept;

 private:
  void clear() noexcept;

  int readEnd_;
  int writeEnd_;
};

}  // namespace cloudeasyml::serving
