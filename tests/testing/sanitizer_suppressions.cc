// What the sanitizers are told to leave out, in every test that links this file.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions();

// c-ares 1.18, which gRPC resolves names with, loses the copy of a name that it answers for the
// loopback itself: ten bytes a look-up of "localhost".
extern "C" const char* __lsan_default_suppressions() { return "leak:ares_strdup\n"; }

// ThreadSanitizer did not compile gRPC and cannot see how its completion queues hand an operation
// from the thread that starts it to the one that hears of its end. A report is left out where one
// of the two sides was called by gRPC.
extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc++.so\n"
         "race:libgrpc.so\n";
}
