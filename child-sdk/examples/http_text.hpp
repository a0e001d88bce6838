#pragma once

// The part of HTTP/1.1 that the examples without an HTTP library need: parses the bytes of a request and produces the
// bytes of a response. No socket, no state, no blocking, so it works in any event loop and any thread.

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace http_text {

inline constexpr std::size_t max_head_bytes = std::size_t{16} * 1024;
inline constexpr std::size_t max_body_bytes = std::size_t{1024} * 1024;

// The head of a request. The views point into the bytes that were parsed.
struct Request {
    bool is_served = false;  // false: malformed, chunked or too large; close the connection
    std::string_view method{};
    std::string_view target{};
    std::size_t head_bytes = 0;
    std::size_t body_bytes = 0;
    bool keep_alive = false;         // the client may send another request on this connection
    std::chrono::milliseconds ms{};  // "?ms=250" in the target: delay before the response

    // Size in the input: wait until this many bytes have arrived, answer, and drop as many.
    std::size_t bytes() const { return head_bytes + body_bytes; }

    // The name for Worker::begin_request: "GET /path".
    std::string name() const { return std::string(method) + " " + std::string(target.substr(0, target.find('?'))); }
};

inline bool is_same(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) {  //
        return std::tolower(a) == std::tolower(b);
    });
}

// Returns the value of a header; empty if it is missing.
inline std::string_view header(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(head.size(), line.size() + 2));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_same(line.substr(0, colon), name)) continue;
        const std::string_view value = line.substr(colon + 1);
        return value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
    }
    return {};
}

// Empty text is 0. Returns nothing if the text is not a number.
inline std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty()) return 0;
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

inline std::chrono::milliseconds ms_of(std::string_view target) {
    const std::size_t at = target.find("?ms=");
    if (at == std::string_view::npos) return {};
    return std::chrono::milliseconds(number(target.substr(at + 4)).value_or(0));
}

// Parses the request at the beginning of `bytes`. Returns nothing while the head is incomplete.
inline std::optional<Request> parse(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return bytes.size() > max_head_bytes ? std::optional(Request{}) : std::nullopt;
    const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
    const std::string_view head = bytes.substr(line.size() + 2, end - std::min(end, line.size() + 2));
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    const std::optional<std::size_t> body = number(header(head, "Content-Length"));
    if (first == 0 || first == last || last == std::string_view::npos || !header(head, "Transfer-Encoding").empty() ||
        !body || *body > max_body_bytes) {
        return Request{};
    }
    Request request{.is_served = true, .method = line.substr(0, first), .head_bytes = end + 4, .body_bytes = *body};
    request.target = line.substr(first + 1, last - first - 1);
    request.keep_alive = line.ends_with("HTTP/1.1") && !is_same(header(head, "Connection"), "close");
    request.ms = ms_of(request.target);
    return request;
}

enum class Says { keep_alive, close };  // whether the response says "Connection: close", see holdfast/keep_alive.hpp

// The response "200 OK" with the body "OK\n" and the id of the worker.
inline std::string answer(std::string_view worker_id, Says says) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nX-Worker: " + std::string(worker_id) +
           (says == Says::close ? "\r\nConnection: close" : "") + "\r\n\r\nOK\n";
}

// Where to listen without a supervisor: HELLO_ADDRESS, or `otherwise`.
inline std::string address(const char* otherwise) {
    const char* given = std::getenv("HELLO_ADDRESS");
    return given == nullptr ? otherwise : given;
}

// The value of X-Worker: "<generation>.<slot>.<pid>"; generation and slot are 0 without a supervisor.
inline std::string worker_id() {
    const char* worker = std::getenv("HOLDFAST_WORKER");
    return std::string(worker == nullptr ? "0.0" : worker) + "." + std::to_string(::getpid());
}

}  // namespace http_text
