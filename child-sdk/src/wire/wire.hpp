#pragma once

// The spelling of the worker protocol (PROTOCOL.md): bytes to messages and back, both directions.
//
// Every function is total: whatever bytes come, it answers, in time and memory bounded by the limits of
// holdfast/message.hpp, and throws nothing (but std::bad_alloc). No state, no I/O: any thread may call anything.

#include <cstddef>
#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::wire {

// Between the fields of one value.
inline constexpr char separator = '\x1f';

// A message that breaks a rule and therefore changes nothing. `why` is for a person: which key, and what it takes.
// Bytes of the message quoted in it are escaped and short.
struct Malformed {
    std::string why;
    friend bool operator==(const Malformed&, const Malformed&) = default;
};

// What a worker said in one packet. `descriptors` is the number that came beside it: BARRIER=1 announces exactly one,
// FDSTORE=1 any number (well-formed, but nothing keeps them yet: the receiver closes them), anything else none.
std::variant<Report, Malformed> decode_report(std::string_view bytes, std::size_t descriptors);

// What a supervisor said in one packet. An unknown STAGE, or none, is malformed; an unknown REASON is no reason.
std::variant<Command, Malformed> decode_command(std::string_view bytes);

// The packet for a message. Never longer than max_message_bytes: text and names are cut, surplus entries of the drain
// report are left out, and bytes that would end a line or a field early become spaces. What is within the limits comes
// back from decode_... unchanged. A Report that says nothing has no packet: the result is empty.
std::string encode(const Report& report);
std::string encode(const Command& command);

// The protocol's words: "run", "lame-duck", "pause", "drain", "cancel"; "restart", "stop", ...
std::string_view name_of(Stage stage);
std::string_view name_of(Reason reason);
std::optional<Stage> stage_of(std::string_view name);
std::optional<Reason> reason_of(std::string_view name);

// What an entry of a drain report, cut to its limits, counts towards max_report_bytes: more than its text, so that an
// empty one counts, too.
std::size_t report_bytes_of(std::string_view kind, std::string_view name);

// Text from elsewhere as a person may read it: control characters, bytes that are not UTF-8, and characters that
// reorder or break lines are escaped (\n, \x1b, \u202e); everything else stays as it is.
std::string printable(std::string_view text);

// The longest beginning of `text` that has at most `limit` bytes and does not end inside a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t limit);

}  // namespace holdfast::wire
