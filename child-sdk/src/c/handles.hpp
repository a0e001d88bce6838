#pragma once

#include <memory>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "guard.hpp"
#include "handle_table.hpp"
#include "objects.hpp"
#include "process.hpp"

// Typed access to the table of handles. Every function checks the handle that the program passed, and throws
// HandleError if it is not valid.

namespace holdfast::c {

// The number of a handle. Handles are never dereferenced.
template <class Handle>
std::uint64_t number_of_handle(const Handle* handle) {
    static_assert(sizeof(handle) == sizeof(std::uint64_t), "handles need pointers of 64 bits");
    return reinterpret_cast<std::uintptr_t>(handle);
}

template <class Handle>
Handle* to_handle(std::uint64_t number) {
    return reinterpret_cast<Handle*>(static_cast<std::uintptr_t>(number));  // NOLINT: it is a number
}

// Throws: NULL, ended, of another kind, or no handle at all.
[[noreturn]] void refuse_handle(std::uint64_t handle, Kind wanted, std::string_view what, std::string_view name);

// The object of a valid handle, kept alive until this is destroyed.
template <class Handle>
class Pinned {
  public:
    using Object = typename HandleTraits<Handle>::Object;

    Pinned(HandleEntry& entry, std::uint64_t handle) : entry_(&entry), handle_(handle) {}
    ~Pinned() {
        if (entry_->unpin() != HandleEntry::Last::yes) return;
        delete static_cast<Object*>(entry_->object());
        entry_->retire();
        handle_table().give_back(*ThisThread(), handle_);
    }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

    Object& operator*() const { return *static_cast<Object*>(entry_->object()); }
    Object* operator->() const { return &**this; }

    // After an end: waits until no other thread uses the object. Only for objects that are used for a short time.
    void wait_until_alone() const {
        // In a forked child, the other threads do not exist.
        while (!entry_->is_pinned_once() && is_worker_process()) std::this_thread::yield();
    }

  private:
    HandleEntry* const entry_;
    const std::uint64_t handle_;
};

template <class Handle>
HandleEntry* entry_of(const Handle* handle) {
    const std::uint64_t number = number_of_handle(handle);
    return number >> HandleEntry::kind_shift == static_cast<std::uint64_t>(HandleTraits<Handle>::kind)
               ? handle_table().find(number)
               : nullptr;
}

template <class Handle>
Pinned<Handle> pin(const Handle* handle, std::string_view what) {
    const std::uint64_t number = number_of_handle(handle);
    HandleEntry* entry = entry_of(handle);
    if (entry != nullptr && entry->pin(number)) return Pinned<Handle>(*entry, number);
    refuse_handle(number, HandleTraits<Handle>::kind, what, HandleTraits<Handle>::name);
}

// Ends the handle and sets it to NULL. The object is destroyed when nothing uses it any more. Throws for NULL.
template <class Handle>
Pinned<Handle> end(Handle** handle, std::string_view what) {
    const std::uint64_t number = number_of_handle(*handle);
    HandleEntry* entry = entry_of(*handle);
    if (entry == nullptr || !entry->end(number)) {
        refuse_handle(number, HandleTraits<Handle>::kind, what, HandleTraits<Handle>::name);
    }
    *handle = nullptr;
    return Pinned<Handle>(*entry, number);
}

// The handle of a new object.
template <class Handle>
Handle* add_handle(std::unique_ptr<typename HandleTraits<Handle>::Object> object) {
    Handle* handle = to_handle<Handle>(handle_table().add(*ThisThread(), HandleTraits<Handle>::kind, object.get()));
    std::ignore = object.release();
    return handle;
}

// Stores the handle of what `make` returns; NULL if it throws.
template <class Handle, class Make>
void make_handle(Handle** handle, std::string_view what, Make make) {
    not_null(handle, what, "the address of the handle") = nullptr;
    *handle = make();
}

// The errno of a std::logic_error: `usual`, but EPERM in a forked child.
inline auto misuse_of(int usual) {
    return [usual] { return is_worker_process() ? usual : EPERM; };
}

}  // namespace holdfast::c
