#pragma once

// What the HTTP examples share: their service, and the part of HTTP/1.1 that those without an HTTP library need: parses
// the bytes of a request and produces the bytes of a response. No socket, no state, no blocking, so it works in any
// event loop and any thread.
//
// The service, the same in each example:
//   GET /             "OK\n"; so does any other path and method
//   GET /bytes?n=N    N bytes "x", sent in parts where the library can
//   POST /count       the size of the request's body in decimal; received in parts where the library can
//   ?ms=N, &ms=N      with any path: after N milliseconds of work
// A body of more than max_body_bytes is answered with 413, a head of more than max_head_bytes with 431 (libevent: 400),
// what cannot be parsed with 400; the connection ends after these. Each response has the header X-Worker, see
// worker_id(). Without a supervisor the examples listen at HELLO_ADDRESS, or at :8080.

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
inline constexpr std::size_t max_body_bytes = std::size_t{64} * 1024 * 1024;

// The head of a request. The views point into the bytes that were parsed.
struct Request {
    bool is_served = false;  // false: malformed, chunked or too large; answer refusal() and close the connection
    std::string_view refusal = "400 Bad Request";  // the status in that case
    std::string_view method{};
    std::string_view target{};
    std::size_t head_bytes = 0;
    std::size_t body_bytes = 0;
    bool keep_alive = false;         // the client may send another request on this connection
    std::chrono::milliseconds ms{};  // "ms=250" in the query: delay before the response

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

// The number after "key=" in the query of the target; 0 if there is none.
inline std::size_t query(std::string_view target, std::string_view key) {
    target.remove_prefix(std::min(target.find('?'), target.size()));
    while (!target.empty()) {
        target.remove_prefix(1);
        const std::string_view entry = target.substr(0, target.find('&'));
        if (entry.starts_with(key) && entry.substr(key.size()).starts_with('='))
            return number(entry.substr(key.size() + 1)).value_or(0);
        target.remove_prefix(entry.size());
    }
    return 0;
}

inline std::chrono::milliseconds ms_of(std::string_view target) {
    return std::chrono::milliseconds(query(target, "ms"));
}

// Parses the request at the beginning of `bytes`. Returns nothing while the head is incomplete.
inline std::optional<Request> parse(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (std::min(end, bytes.size()) > max_head_bytes) return Request{.refusal = "431 Request Header Fields Too Large"};
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
    const std::string_view head = bytes.substr(line.size() + 2, end - std::min(end, line.size() + 2));
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    const std::optional<std::size_t> body = number(header(head, "Content-Length"));
    if (first == 0 || first == last || last == std::string_view::npos || !body) return Request{};
    if (!header(head, "Transfer-Encoding").empty()) return Request{.refusal = "501 Not Implemented"};
    if (*body > max_body_bytes) return Request{.refusal = "413 Content Too Large"};
    Request request{.is_served = true, .method = line.substr(0, first), .head_bytes = end + 4, .body_bytes = *body};
    request.target = line.substr(first + 1, last - first - 1);
    request.keep_alive = line.ends_with("HTTP/1.1") && !is_same(header(head, "Connection"), "close");
    request.ms = ms_of(request.target);
    return request;
}

// The body of a response: a text, or a number of bytes "x".
struct Body {
    std::string text{};
    std::size_t filler_bytes = 0;

    std::size_t size() const { return text.size() + filler_bytes; }
};

// The body that answers a request with a body of `received_bytes`.
inline Body body_for(std::string_view target, std::size_t received_bytes) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/bytes") return {.filler_bytes = query(target, "n")};
    return {.text = path == "/count" ? std::to_string(received_bytes) : "OK\n"};
}

// Up to `most` bytes "x", for a part of a body.
inline std::string_view filler(std::size_t most) {
    static const std::string bytes(std::size_t{64} * 1024, 'x');
    return std::string_view(bytes).substr(0, most);
}

enum class Says { keep_alive, close };  // whether the response says "Connection: close", see holdfast/keep_alive.hpp

// The head of a response with a body of `body_bytes`.
inline std::string response_head(std::string_view status, std::size_t body_bytes, std::string_view worker_id,
                                 Says says) {
    return "HTTP/1.1 " + std::string(status) +
           "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body_bytes) +
           "\r\nX-Worker: " + std::string(worker_id) + (says == Says::close ? "\r\nConnection: close" : "") +
           "\r\n\r\n";
}

// The response "200 OK" with the body "OK\n" and the id of the worker.
inline std::string answer(std::string_view worker_id, Says says) {
    return response_head("200 OK", 3, worker_id, says) + "OK\n";
}

// The last response of a connection, without a body.
inline std::string refusal(std::string_view status, std::string_view worker_id) {
    return response_head(status, 0, worker_id, Says::close);
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
