// What Node-API lacks: interrupting a thread's JavaScript.
#pragma once

namespace cloudeasyml::bindings {

/// The V8 isolate of the thread that made it. Its functions are looked up in the process by their
/// names, so that the addon still loads where a Node.js does not export them.
class Isolate {
 public:
  Isolate();

  /// Whether the functions below can be called.
  bool isInterruptible() const noexcept { return isolate_ != nullptr; }

  /// Makes the thread's JavaScript return to the native code that called it. From any thread, while
  /// the isolate's own is inside JavaScript.
  void terminate() const { terminate_(isolate_); }
  /// Lets JavaScript run again. On the isolate's thread.
  void cancelTermination() const { cancelTermination_(isolate_); }
  /// Runs promise reactions until there are none, unless some are being run already.
  void runMicrotasks() const { runMicrotasks_(isolate_); }

 private:
  using Method = void (*)(void* isolate);

  Method terminate_;
  Method cancelTermination_;
  Method runMicrotasks_;
  void* isolate_ = nullptr;
};

}  // namespace cloudeasyml::bindings
