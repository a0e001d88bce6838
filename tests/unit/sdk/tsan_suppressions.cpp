// ThreadSanitizer does not know std::atomic_thread_fence. Asio counts the owners of a type-erased executor with a
// release and a fence (boost/asio/detail/atomic_count.hpp), so the last owner's delete looks like a race to it.

extern "C" const char* __tsan_default_suppressions() {  // NOLINT: the name that the sanitizer asks for
    return "race:boost::asio::execution::detail::shared_target_executor\n";
}
