#include "handles.hpp"

#include <algorithm>
#include <array>

namespace holdfast::c {

namespace {

struct Name {
    Kind kind;
    std::string_view text;
};

constexpr std::array names{Name{Kind::worker, "a worker"},      Name{Kind::listener, "a listener"},
                           Name{Kind::acceptor, "an acceptor"}, Name{Kind::request, "a request"},
                           Name{Kind::session, "a session"},    Name{Kind::work, "an item of work"},
                           Name{Kind::stop, "a stop token"}};

std::string_view name_of(Kind kind) {
    const auto* const found = std::ranges::find(names, kind, &Name::kind);
    return found == names.end() ? "nothing" : found->text;
}

// Whether a handle with this index can have existed.
bool is_known(std::uint64_t handle) {
    const bool is_named = name_of(static_cast<Kind>(handle >> HandleEntry::kind_shift)) != "nothing";
    return is_named && handle_table().find(handle) != nullptr;
}

}  // namespace

void refuse_handle(std::uint64_t handle, Kind wanted, std::string_view what, std::string_view name) {
    if (handle == 0) refuse(what, std::string(name) + " is NULL; pass a valid pointer");
    const auto kind = static_cast<Kind>(handle >> HandleEntry::kind_shift);
    const std::string prefix = "cannot " + std::string(what) + ": " + std::string(name) + " is ";
    const std::string of_kind(name_of(wanted));
    if (!is_known(handle)) {
        throw Refused(EBADF, prefix + "not a handle of this library; pass the handle of " + of_kind +
                                 " that a function of holdfast.h stored");
    }
    if (kind != wanted) {
        throw Refused(EBADF,
                      prefix + "the handle of " + std::string(name_of(kind)) + "; pass the handle of " + of_kind);
    }
    throw Refused(EBADF, prefix +
                             "a handle that was ended or freed before, perhaps through a copy of it; end a handle "
                             "once, and use no copy of it afterwards");
}

}  // namespace holdfast::c
