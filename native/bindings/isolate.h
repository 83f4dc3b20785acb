// What Node-API lacks: interrupting a thread's JavaScript, and having its garbage collected.
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

  /// Begins to collect all garbage in small steps, where that is possible. On the isolate's thread.
  void collectGarbage() const {
    if (isolate_ && noteMemoryPressure_) noteMemoryPressure_(isolate_, kModeratePressure);
  }

 private:
  using Method = void (*)(void* isolate);

  /// Of v8::MemoryPressureLevel.
  static constexpr int kModeratePressure = 1;

  Method terminate_;
  Method cancelTermination_;
  Method runMicrotasks_;
  void (*noteMemoryPressure_)(void* isolate, int level);
  void* isolate_ = nullptr;
};

}  // namespace cloudeasyml::bindings
