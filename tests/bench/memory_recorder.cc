// A library to preload into a server: counts its heap allocations and its copies of memory, by who
// asked for them. step_profile.py starts and reads it.
//
// SIGUSR1 begins the counting; the next one ends it and writes HIVEWIRE_MEMORY_RECORD: a line for
// each kind and call stack, "KIND COUNT BYTES ADDRESS…", innermost first. KIND is "allocation" or
// "copy"; copies below kLeastCopy bytes, which are mostly inlined anyway, are left out.
//
// Thread-safe; changes nothing but time.
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kLeastCopy = 128;  // bytes
constexpr int kFrames = 24;
constexpr size_t kEntries = 1 << 13;  // a power of two

struct Entry {
  uint64_t hash;  // 0: free
  bool copy;
  int depth;
  void* frames[kFrames];
  uint64_t count, bytes;
};

std::atomic<bool> counting{false};
std::atomic_flag busy = ATOMIC_FLAG_INIT;
Entry entries[kEntries];
// What this library does itself is not counted.
thread_local bool inside __attribute__((tls_model("initial-exec"))) = false;

void Count(bool copy, size_t bytes) {
  if (!counting.load(std::memory_order_relaxed) || inside) return;
  inside = true;
  void* frames[kFrames];
  const int depth = backtrace(frames, kFrames);
  uint64_t hash = copy ? 3 : 5;
  for (int k = 0; k < depth; ++k)
    hash = (hash ^ reinterpret_cast<uint64_t>(frames[k])) * 0x100000001b3u;
  hash |= 1;
  while (busy.test_and_set(std::memory_order_acquire)) {
  }
  size_t at = hash % kEntries;
  for (size_t tries = 0; tries < kEntries && entries[at].hash != 0 && entries[at].hash != hash;
       ++tries)
    at = (at + 1) % kEntries;
  Entry& entry = entries[at];
  if (entry.hash == 0) {
    entry.hash = hash;
    entry.copy = copy;
    entry.depth = depth;
    for (int k = 0; k < depth; ++k) entry.frames[k] = frames[k];
  }
  ++entry.count;
  entry.bytes += bytes;
  busy.clear(std::memory_order_release);
  inside = false;
}

void Write() {
  std::FILE* file = std::fopen(std::getenv("HIVEWIRE_MEMORY_RECORD"), "w");
  if (file == nullptr) return;
  for (const Entry& entry : entries) {
    if (entry.hash == 0) continue;
    std::fprintf(file, "%s %lu %lu", entry.copy ? "copy" : "allocation", entry.count, entry.bytes);
    for (int k = 0; k < entry.depth; ++k) std::fprintf(file, " %p", entry.frames[k]);
    std::fputc('\n', file);
  }
  std::fputs("end\n", file);
  std::fclose(file);
}

// The server blocks the signals that it waits for, and leaves this one alone.
void OnSignal(int) {
  if (!counting.exchange(true)) return;
  counting = false;
  inside = true;
  Write();
  inside = false;
}

__attribute__((constructor)) void Begin() {
  // Loads the unwinder, which allocates.
  void* frames[1];
  backtrace(frames, 1);
  signal(SIGUSR1, OnSignal);
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// Not memmove: that is what is being replaced.
void CopyBytes(void* to, const void* from, size_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

}  // namespace

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);

void* malloc(size_t size) {
  Count(/*copy=*/false, size);
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  Count(/*copy=*/false, count * size);
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  Count(/*copy=*/false, size);
  return __libc_realloc(memory, size);
}

void* memcpy(void* to, const void* from, size_t size) {
  if (size >= kLeastCopy) Count(/*copy=*/true, size);
  void* const result = to;
  CopyBytes(to, from, size);
  return result;
}

void* memmove(void* to, const void* from, size_t size) {
  static const auto next = Next<void* (*)(void*, const void*, size_t)>("memmove");
  if (size >= kLeastCopy) Count(/*copy=*/true, size);
  return next(to, from, size);
}

}  // extern "C"
