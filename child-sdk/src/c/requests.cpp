#include <new>

#include "worker_use.hpp"

// A Request is a single pointer, and its entry in the table of handles holds that pointer, so that a request allocates
// nothing in C either.
static_assert(std::is_standard_layout_v<holdfast::Request> && sizeof(holdfast::Request) == sizeof(void*));

namespace {

using namespace holdfast::c;

// A Request whose destructor is not called, because the handle ends it.
class UnmanagedRequest {
  public:
    explicit UnmanagedRequest(holdfast::Request request) { new (&request_) holdfast::Request(std::move(request)); }
    explicit UnmanagedRequest(void* slot) {
        new (&request_) holdfast::Request();
        this->slot() = slot;
    }
    ~UnmanagedRequest() {}  // NOLINT: a union member with a destructor needs one that does nothing
    UnmanagedRequest(const UnmanagedRequest&) = delete;
    UnmanagedRequest& operator=(const UnmanagedRequest&) = delete;

    holdfast::Request& request() { return request_; }
    void*& slot() { return *reinterpret_cast<void**>(&request_); }  // the first member of a standard-layout class

  private:
    union {
        holdfast::Request request_;
    };
};

holdfast_request* handle_of(ThreadState& thread, holdfast::Request request) {
    UnmanagedRequest begun(std::move(request));
    if (begun.slot() == nullptr) return nullptr;  // a forked child counts nothing
    try {
        return to_handle<holdfast_request>(handle_table().add(thread, Kind::request, begun.slot()));
    } catch (...) {
        begun.request().end();
        throw;
    }
}

}  // namespace

int holdfast_begin_request(holdfast_worker* worker, const char* name, holdfast_request** request) {
    constexpr std::string_view what = "begin a request";
    return guarded(
        [&] {
            make_handle(request, what, [&] {
                const WorkerUse use(worker, what);
                return handle_of(use.thread(), use->worker.begin_request(&not_null(name, what, "name")));
            });
        },
        misuse_of(ESHUTDOWN));
}

int holdfast_end_request(holdfast_request** request) {
    constexpr std::string_view what = "end a request";
    return guarded([&] {
        holdfast_request*& ended = not_null(request, what, "the address of the handle");
        if (ended == nullptr) return;
        const std::uint64_t number = number_of_handle(ended);
        HandleEntry* entry = entry_of(ended);
        if (entry == nullptr || !entry->take(number)) refuse_handle(number, Kind::request, what, "request");
        void* slot = entry->object();
        handle_table().give_back(*ThisThread(), number);
        ended = nullptr;
        UnmanagedRequest(slot).request().end();
    });
}
