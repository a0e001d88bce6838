#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "json/text.hpp"

namespace holdfast::json {

// Writes one JSON document front to back. Boost.JSON serializes the strings. The structure and the numbers are written
// here because Boost.JSON 1.81 writes 12.5 as 1.25E1, and operators read these numbers.
class Writer {
  public:
    explicit Writer(ControlCharacters controls = ControlCharacters::keep);

    Writer& open_object();
    Writer& close_object();
    Writer& open_array();
    Writer& close_array();
    // `name` is a literal in which JSON escapes nothing.
    Writer& key(std::string_view name);

    // Bytes that are not UTF-8 are written as the four characters \xNN.
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool truth) { return raw(truth ? "true" : "false"); }
    Writer& value(std::integral auto number) { return raw(std::to_string(number)); }
    // In seconds, with three decimals. A negative duration is written as 0.
    Writer& value(Duration duration);
    Writer& null() { return raw("null"); }

    template <class T>
    Writer& value(const std::optional<T>& content) {
        return content ? value(*content) : null();
    }
    template <class T>
    Writer& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }

    std::string take() { return std::move(text_); }

  private:
    Writer& raw(std::string_view literal);
    void separate();

    ControlCharacters controls_;
    std::string text_;
};

}  // namespace holdfast::json
