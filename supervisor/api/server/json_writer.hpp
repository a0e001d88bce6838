#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace holdfast::api {

// Writes one JSON document, front to back. Numbers look as a person would write them (Boost.JSON 1.81 writes 12.5 as
// 1.25E1), and strings are safe on a terminal: bytes that are no UTF-8 and control characters, which a worker may have
// sent, come out as the four characters \xNN.
class JsonWriter {
  public:
    JsonWriter& open_object();
    JsonWriter& close_object();
    JsonWriter& open_array();
    JsonWriter& close_array();
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
    JsonWriter& value(std::integral auto number) { return raw(std::to_string(number)); }
    // In seconds, to the millisecond.
    JsonWriter& value(Duration duration);
    JsonWriter& null() { return raw("null"); }

    template <class T>
    JsonWriter& value(const std::optional<T>& perhaps) {
        return perhaps ? value(*perhaps) : null();
    }
    template <class T>
    JsonWriter& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }

    std::string take() { return std::move(text_); }

  private:
    JsonWriter& raw(std::string_view literal);
    void separate();

    std::string text_;
};

}  // namespace holdfast::api
