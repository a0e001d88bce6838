#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::runtime {

// Parses the beginning of an HTTP/1 response up to the status code: "HTTP/1.1 200".
struct HttpStatus {
    enum class Reading { known, more, not_http } reading = Reading::more;  // `more`: more bytes are needed
    int code = 0;
};
HttpStatus read_http_status(std::string_view beginning);

}  // namespace holdfast::runtime
