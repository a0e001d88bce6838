#include "os/errno_error.hpp"

#include <cerrno>
#include <cstring>

namespace holdfast::os {

std::string errno_text(int error_number) {
    const char* text = ::strerrordesc_np(error_number);
    return text != nullptr ? text : "error " + std::to_string(error_number);
}

Error errno_error(std::string_view what, int error_number) {
    return error("cannot " + std::string(what) + ": " + errno_text(error_number), error_number);
}

Error errno_error(std::string_view what) { return errno_error(what, errno); }

}  // namespace holdfast::os
