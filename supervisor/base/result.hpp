#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace holdfast {

// The cause of a failure, as a message for people: "cannot <do what> to <what>: <cause>". `code` is the errno, 0 if
// there is none.
struct Error {
    // There is no constructor from a string alone: in a Result<std::string> it would be ambiguous with a value.
    Error() = default;
    Error(std::string message, int number) : text(std::move(message)), code(number) {}
    std::string text;
    int code = 0;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(error.text);
}

template <class T>
using Result = boost::system::result<T, Error>;

inline Error error(std::string text, int code = 0) { return Error{std::move(text), code}; }

}  // namespace holdfast
