#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace holdfast {

// Why something could not be done, in words for a person: "cannot <do what> to <what>: <cause>". `code` is the errno
// behind it, 0 where there is none.
struct Error {
    // No constructor from the text alone: a Result<std::string> could not tell it from a value.
    Error() = default;
    Error(std::string words, int number) : text(std::move(words)), code(number) {}
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
