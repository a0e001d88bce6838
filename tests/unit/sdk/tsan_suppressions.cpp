// ThreadSanitizer does not support std::atomic_thread_fence. Asio counts the owners of a type-erased executor with a
// release operation and a fence (boost/asio/detail/atomic_count.hpp), so ThreadSanitizer reports the delete by the last
// owner as a race. Debian's cpp-httplib is not instrumented, so the guard of its function-local statics is not seen.

extern "C" const char* __tsan_default_suppressions() {  // NOLINT: the name that the sanitizer looks up
    return "race:boost::asio::execution::detail::shared_target_executor\nrace:libcpp-httplib.so\n";
}
