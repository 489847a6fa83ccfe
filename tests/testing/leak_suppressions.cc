// What LeakSanitizer is told to leave out, in every test that links this file.
//
// c-ares 1.18, which gRPC resolves names with, loses the copy of a name that it answers for the
// loopback itself: ten bytes a look-up of "localhost".
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:ares_strdup\n"; }
