#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::runtime {

// Reads as much of an HTTP/1 response as says how it went: "HTTP/1.1 200".
struct HttpStatus {
    enum class Reading { known, more, no_http } reading = Reading::more;  // `more`: the beginning is too short
    int code = 0;
};
HttpStatus read_http_status(std::string_view beginning);

}  // namespace holdfast::runtime
