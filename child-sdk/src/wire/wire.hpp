#pragma once

// The codec of the worker protocol (PROTOCOL.md), in both directions.
//
// All functions accept any bytes, need time and memory bounded by the limits of holdfast/message.hpp, and throw nothing
// except std::bad_alloc. They have no state and do no I/O, and are thread-safe.

#include <cstddef>
#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::wire {

// Separates the fields of a value.
inline constexpr char separator = '\x1f';

// A message that breaks a rule; the receiver ignores it. `why` is for people: which key, and what it accepts. Quoted
// bytes of the message are escaped and short.
struct Malformed {
    std::string why;
    friend bool operator==(const Malformed&, const Malformed&) = default;
};

// Decodes a packet of a worker. `descriptors` is the number of descriptors that came with it: BARRIER=1 announces
// exactly one, FDSTORE=1 any number (well-formed, but not implemented: the receiver closes them), other messages none.
std::variant<Report, Malformed> decode_report(std::string_view bytes, std::size_t descriptors);

// Decodes a packet of a supervisor. An unknown or missing STAGE is malformed; an unknown REASON is ignored.
std::variant<Command, Malformed> decode_command(std::string_view bytes);

// Encodes a message. The packet never exceeds max_message_bytes: text and names are truncated, surplus entries of the
// drain report are omitted, and bytes that would end a line or a field become spaces. A message within the limits
// decodes to an equal one. An empty Report yields an empty string: no packet.
std::string encode(const Report& report);
std::string encode(const Command& command);

// The names of the protocol: "run", "lame-duck", "pause", "drain", "cancel"; "restart", "stop", ...
std::string_view name_of(Stage stage);
std::string_view name_of(Reason reason);
std::optional<Stage> stage_of(std::string_view name);
std::optional<Reason> reason_of(std::string_view name);

// The size in bytes that an entry of a drain report, truncated to its limits, counts towards max_report_bytes. More
// than its text, so that an empty entry counts as well.
std::size_t report_bytes_of(std::string_view kind, std::string_view name);

// Escapes untrusted text for people: control characters, bytes that are not UTF-8, and characters that reorder or break
// lines (\n, \x1b, \u202e). Other text is unchanged.
std::string printable(std::string_view text);

// The longest prefix of `text` that has at most `limit` bytes and does not end inside a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t limit);

}  // namespace holdfast::wire
