// What LeakSanitizer is told of cpprestsdk 2.10: when the reader of a stream has enough, the task that reads the rest
// of the answer at times outlives the client with the error it ended with (some 900 bytes).
extern "C" {
const char* __lsan_default_suppressions() { return "leak:libcpprest\n"; }
const char* __lsan_default_options() { return "print_suppressions=0"; }
}
