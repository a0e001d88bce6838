#include "json/writer.hpp"

#include <array>
#include <boost/json/serializer.hpp>
#include <cstdint>
#include <cstdio>

namespace holdfast::json {
namespace {

constexpr std::size_t initial_capacity = 256;  // a log line

void append_string(std::string& to, std::string_view valid_text) {
    std::array<char, 512> part;
    boost::json::serializer serializer;
    serializer.reset({valid_text.data(), valid_text.size()});
    do {
        const auto written = serializer.read(part.data(), part.size());
        to.append(written.data(), written.size());
    } while (!serializer.done());
}

}  // namespace

Writer::Writer(ControlCharacters controls) : controls_(controls) { text_.reserve(initial_capacity); }

void Writer::separate() {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[' && text_.back() != ':') text_ += ',';
}

Writer& Writer::raw(std::string_view literal) {
    separate();
    text_ += literal;
    return *this;
}

Writer& Writer::open_object() { return raw("{"); }
Writer& Writer::open_array() { return raw("["); }

Writer& Writer::close_object() {
    text_ += '}';
    return *this;
}

Writer& Writer::close_array() {
    text_ += ']';
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    text_.append(1, '"').append(name).append("\":");
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    if (is_valid(text, controls_)) {
        append_string(text_, text);
    } else {
        append_string(text_, make_valid(text, controls_));
    }
    return *this;
}

Writer& Writer::value(Duration duration) {
    std::array<char, 32> digits{};
    const std::int64_t usec = duration.count() < 0 ? 0 : duration.count();
    std::snprintf(digits.data(), digits.size(), "%lld.%03lld", static_cast<long long>(usec / 1'000'000),
                  static_cast<long long>(usec / 1'000 % 1'000));
    return raw(digits.data());
}

}  // namespace holdfast::json
