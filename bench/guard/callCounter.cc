// Counts calls that one library makes to another, while a program runs as it was built.
//
// The dynamic linker loads this by LD_AUDIT and asks it about each call that crosses from one
// library to another when the call is first made (rtld-audit(7)). For the functions counted here it
// gives back a few instructions of its own, which count and go on to where the call was bound.
// Preloading can't do this: Node-API's functions are the program's own, and the linker looks there
// first.
//
// The counts lie in the file that CALL_COUNTS names, so that another process may read them at any
// time: a Table, in this machine's byte order. bench/guard/callCounts.mjs reads it.
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if !defined(__x86_64__) || !defined(__linux__)
#error "The call counter knows x86-64 Linux alone."
#endif

namespace {

constexpr uint32_t kMaxCalls = 512;
constexpr uint32_t kMaxThreads = 64;
constexpr size_t kNameSize = 64;

/// One function as one library calls it.
struct Call {
  char function[kNameSize];
  char caller[kNameSize];
};

struct Thread {
  uint64_t id;
  uint64_t calls[kMaxCalls];
  /// Sums of the third argument: for memcpy() and memmove() the bytes.
  uint64_t amounts[kMaxCalls];
};

struct Table {
  uint32_t calls;
  uint32_t threads;
  Call call[kMaxCalls];
  Thread thread[kMaxThreads];
};

Table* table = nullptr;
uint8_t* stubs = nullptr;
size_t stubsUsed = 0;
constexpr size_t kStubsSize = 64 * 1024;

__thread Thread* here __attribute__((tls_model("initial-exec"))) = nullptr;

// The mangled names are operator new's, for one object, an array, and the same with an alignment.
constexpr const char* kCounted[] = {"malloc",
                                    "calloc",
                                    "realloc",
                                    "memalign",
                                    "aligned_alloc",
                                    "posix_memalign",
                                    "_Znwm",
                                    "_Znam",
                                    "_ZnwmSt11align_val_t",
                                    "_ZnamSt11align_val_t",
                                    "memcpy",
                                    "memmove",
                                    "write"};

bool counted(const char* function) {
  if (std::strncmp(function, "napi_", 5) == 0) return true;
  for (const char* each : kCounted) {
    if (std::strcmp(function, each) == 0) return true;
  }
  return false;
}

const char* baseName(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/// Called by the stubs in front of the real function, whose arguments they keep; it must not touch
/// vector registers, which may hold arguments too.
__attribute__((target("general-regs-only"))) void count(uint32_t index, uint64_t amount) {
  if (!here) {
    const uint32_t next = __atomic_fetch_add(&table->threads, 1, __ATOMIC_RELAXED);
    here = &table->thread[next < kMaxThreads ? next : kMaxThreads - 1];
    here->id = static_cast<uint64_t>(syscall(SYS_gettid));
  }
  ++here->calls[index];
  here->amounts[index] += amount;
}

/// Counts, then goes on to `target` with the stack and every argument as they were.
void* makeStub(uint32_t index, uint64_t target) {
  constexpr uint8_t kSave[] = {
      0x57, 0x56, 0x52, 0x51, 0x41, 0x50, 0x41, 0x51, 0x50,  // push rdi rsi rdx rcx r8 r9 rax
      0x48, 0x89, 0xd6,                                      // mov rsi, rdx
      0xbf,                                                  // mov edi, index
  };
  constexpr uint8_t kCall[] = {0x48, 0xb8};    // mov rax, count
  constexpr uint8_t kRestore[] = {0xff, 0xd0,  // call rax
                                  0x58, 0x41, 0x59, 0x41, 0x58, 0x59, 0x5a, 0x5e, 0x5f,  // pops
                                  0x49, 0xbb};     // mov r11, target
  constexpr uint8_t kJump[] = {0x41, 0xff, 0xe3};  // jmp r11
  const uint64_t counter = reinterpret_cast<uint64_t>(&count);
  if (stubsUsed + 64 > kStubsSize) return nullptr;
  uint8_t* const stub = stubs + stubsUsed;
  uint8_t* at = stub;
  const auto emit = [&](const void* bytes, size_t size) {
    std::memcpy(at, bytes, size);
    at += size;
  };
  emit(kSave, sizeof kSave);
  emit(&index, sizeof index);
  emit(kCall, sizeof kCall);
  emit(&counter, sizeof counter);
  emit(kRestore, sizeof kRestore);
  emit(&target, sizeof target);
  emit(kJump, sizeof kJump);
  stubsUsed += 64;
  return stub;
}

bool open() {
  const char* path = std::getenv("CALL_COUNTS");
  if (!path) return false;
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || ftruncate(file, sizeof(Table)) != 0) return false;
  void* memory = mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  void* code = mmap(nullptr, kStubsSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || code == MAP_FAILED) return false;
  table = static_cast<Table*>(memory);
  stubs = static_cast<uint8_t*>(code);
  // Programs that this one starts are not what is counted.
  unsetenv("LD_AUDIT");
  return true;
}

}  // namespace

// The linker holds its lock around these, so they never run side by side.
extern "C" {

unsigned la_version(unsigned) { return open() ? LAV_CURRENT : 0; }

unsigned la_objopen(link_map* map, Lmid_t, uintptr_t* cookie) {
  *cookie = reinterpret_cast<uintptr_t>(map);
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned, uintptr_t* caller, uintptr_t*, unsigned*,
                       const char* function) {
  if (!counted(function)) return symbol->st_value;
  const uint32_t index = table->calls;
  if (index == kMaxCalls) return symbol->st_value;
  void* stub = makeStub(index, symbol->st_value);
  if (!stub) return symbol->st_value;
  auto& call = table->call[index];
  std::strncpy(call.function, function, kNameSize - 1);
  std::strncpy(call.caller, baseName(reinterpret_cast<link_map*>(*caller)->l_name), kNameSize - 1);
  __atomic_store_n(&table->calls, index + 1, __ATOMIC_RELEASE);
  return reinterpret_cast<uintptr_t>(stub);
}
}
