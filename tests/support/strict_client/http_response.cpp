#include "http_response.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::test {
namespace {

constexpr std::size_t max_head_bytes = 65'536;

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool parse_number(std::string_view digits, int base, std::uint64_t& value) {
    if (digits.empty()) return false;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return failure == std::errc{} && end == digits.data() + digits.size();
}

}  // namespace

void ResponseParser::reset() { *this = ResponseParser{}; }

ResponseParser::State ResponseParser::fail(std::string_view why) {
    fault_ = why;
    return state_ = State::malformed;
}

ResponseParser::State ResponseParser::feed(std::string_view bytes) {
    if (state_ == State::malformed || bytes.empty()) return state_;
    if (state_ == State::complete) return fail("bytes after the end of the response");
    has_bytes_ = true;
    buffer_ += bytes;
    return advance();
}

ResponseParser::State ResponseParser::end_of_stream() {
    if (state_ == State::incomplete && part_ == Part::body_until_end) state_ = State::complete;
    return state_;
}

ResponseParser::State ResponseParser::advance() {
    while (state_ == State::incomplete && step()) {
    }
    if (state_ == State::complete && !buffer_.empty()) return fail("bytes after the end of the response");
    return state_;
}

bool ResponseParser::step() {
    switch (part_) {
        case Part::head:
            return step_head();
        case Part::chunk_size:
            return step_chunk_size();
        case Part::counted_body:
        case Part::chunk_data:
            return step_data();
        case Part::chunk_end:
        case Part::trailer:
            return step_line_end();
        case Part::body_until_end:
            buffer_.clear();
            return false;
    }
    return false;
}

bool ResponseParser::step_head() {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (buffer_.size() > max_head_bytes) fail("no end of the header in 64 KiB");
        // The first bytes show whether this can become a status line.
        const std::string_view start = "HTTP/1.";
        const std::string_view seen = std::string_view(buffer_).substr(0, start.size());
        if (!start.starts_with(seen)) fail("no HTTP/1.x status line");
        return false;
    }
    const std::string head = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    if (!parse_head(head)) return false;
    if (status_ >= 100 && status_ < 200) {  // interim: the response proper follows
        status_ = 0;
        return true;
    }
    return choose_body();
}

bool ResponseParser::parse_head(std::string_view head) {
    bool first = true;
    while (!head.empty()) {
        const std::size_t end = std::min(head.find("\r\n"), head.size());
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        if (first ? !parse_status_line(line) : !parse_header(line)) return false;
        first = false;
    }
    return true;
}

bool ResponseParser::parse_status_line(std::string_view line) {
    std::uint64_t status = 0;
    const bool well_formed = line.size() >= 12 && (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) &&
                             parse_number(line.substr(9, 3), 10, status) && status >= 100 && status < 600 &&
                             (line.size() == 12 || line[12] == ' ');
    if (!well_formed) {
        fail("no HTTP/1.x status line");
        return false;
    }
    status_ = static_cast<int>(status);
    keeps_connection_ = line[7] == '1';
    return true;
}

bool ResponseParser::parse_header(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line[colon - 1] == ' ') {
        fail("a header line without a name");
        return false;
    }
    const std::string name = lower(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == "content-length") {
        std::uint64_t length = 0;
        if (!parse_number(value, 10, length) || (has_length_ && length != remaining_)) {
            fail("a wrong Content-Length");
            return false;
        }
        has_length_ = true;
        remaining_ = length;
    } else if (name == "transfer-encoding") {
        chunked_ = lower(value) == "chunked";
        if (!chunked_) fail("an unknown Transfer-Encoding");
    } else if (name == "connection") {
        const std::string words = lower(value);
        if (words.find("close") != std::string::npos) keeps_connection_ = false;
        if (words.find("keep-alive") != std::string::npos) keeps_connection_ = true;
    } else if (name == "x-worker") {
        worker_ = value;
    }
    return state_ == State::incomplete;
}

bool ResponseParser::choose_body() {
    if (has_length_ && chunked_) {
        fail("both Content-Length and Transfer-Encoding");
        return false;
    }
    if (status_ == 204 || status_ == 304 || (has_length_ && remaining_ == 0)) {
        state_ = State::complete;
    } else if (chunked_) {
        part_ = Part::chunk_size;
    } else if (has_length_) {
        part_ = Part::counted_body;
    } else {
        part_ = Part::body_until_end;
        keeps_connection_ = false;
    }
    return state_ == State::incomplete;
}

bool ResponseParser::take_line(std::string_view& line) {
    const std::size_t end = buffer_.find("\r\n");
    if (end == std::string::npos) {
        if (buffer_.size() > max_head_bytes) fail("a line without an end");
        return false;
    }
    line = std::string_view(buffer_).substr(0, end);
    return true;
}

bool ResponseParser::step_chunk_size() {
    std::string_view line;
    if (!take_line(line)) return false;
    if (!parse_number(trim(line.substr(0, line.find(';'))), 16, remaining_)) {
        fail("a wrong chunk size");
        return false;
    }
    buffer_.erase(0, line.size() + 2);
    part_ = remaining_ == 0 ? Part::trailer : Part::chunk_data;
    return true;
}

bool ResponseParser::step_data() {
    const std::uint64_t taken = std::min<std::uint64_t>(remaining_, buffer_.size());
    buffer_.erase(0, taken);
    remaining_ -= taken;
    if (remaining_ != 0) return false;
    if (part_ == Part::counted_body) {
        state_ = State::complete;
        return false;
    }
    part_ = Part::chunk_end;
    return true;
}

bool ResponseParser::step_line_end() {
    std::string_view line;
    if (!take_line(line)) return false;
    const bool empty = line.empty();
    buffer_.erase(0, line.size() + 2);
    if (part_ == Part::trailer) {
        if (empty) state_ = State::complete;
        return !empty;
    }
    if (!empty) {
        fail("a chunk longer than its size");
        return false;
    }
    part_ = Part::chunk_size;
    return true;
}

}  // namespace holdfast::test
