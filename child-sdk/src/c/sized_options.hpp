#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "guard.hpp"
#include "version.hpp"

// Structs of options whose first member is their size. Later versions of the library add members at the end.

namespace holdfast::c {

// Sets the members that the program knows to their defaults, and unknown ones to zero.
template <class Options>
void init_options(Options* options, std::size_t size, const Options& defaults, std::string_view name) {
    constexpr std::string_view what = "set options to their defaults";
    not_null(options, what, "options");
    if (size < sizeof options->size) refuse(what, "size is too small; pass sizeof(" + std::string(name) + ")");
    std::memset(static_cast<void*>(options), 0, size);
    std::memcpy(static_cast<void*>(options), &defaults, std::min(size, sizeof *options));
    options->size = size;
}

// The options that the program set, with defaults for those that it does not know. Options that this library does not
// know must not be set, because they would be ignored.
template <class Options>
Options known_options(const Options* given, const Options& defaults, std::string_view what, std::string_view init) {
    Options options = defaults;
    if (given == nullptr) return options;
    if (given->size < sizeof given->size) {
        refuse(what, "the size of the options is 0; initialise them with " + std::string(init));
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    if (given->size > sizeof options &&
        std::any_of(bytes + sizeof options, bytes + given->size, [](unsigned char byte) { return byte != 0; })) {
        throw Refused(E2BIG, "cannot " + std::string(what) + ": an option is set that this library (" +
                                 std::string(holdfast::sdk_version) + ") does not know; install a newer version");
    }
    std::memcpy(static_cast<void*>(&options), given, std::min(given->size, sizeof options));
    return options;
}

}  // namespace holdfast::c
