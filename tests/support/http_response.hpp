#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::test {

// Reads one HTTP/1.x response after the other from a stream, and forgives nothing: a client that overlooks a missing
// byte would prove nothing. The body's end is known by Content-Length, by chunks, or by the end of the stream.
class ResponseParser {
  public:
    enum class State { incomplete, complete, malformed };

    // Bytes beyond the end of the response make it malformed: nothing was asked for that they could answer.
    State feed(std::string_view bytes);

    // The stream has ended. Complete where the end of the stream is the end of the body; otherwise nothing changes.
    State end_of_stream();

    // Ready for the next response on the same connection.
    void reset();

    bool has_bytes() const { return has_bytes_; }
    // Valid once complete.
    int status() const { return status_; }
    bool keeps_connection() const { return keeps_connection_; }
    const std::string& worker() const { return worker_; }  // X-Worker; empty without
    const std::string& fault() const { return fault_; }    // why it is malformed

  private:
    enum class Part { head, counted_body, chunk_size, chunk_data, chunk_end, trailer, body_until_end };

    State fail(std::string_view why);
    State advance();
    bool parse_head(std::string_view head);
    bool parse_status_line(std::string_view line);
    bool parse_header(std::string_view line);
    bool choose_body();
    bool take_line(std::string_view& line);
    // One step of reading; false where more bytes are needed or the state has changed for good.
    bool step();
    bool step_head();
    bool step_chunk_size();
    bool step_data();
    bool step_line_end();

    State state_ = State::incomplete;
    Part part_ = Part::head;
    std::string buffer_;
    std::uint64_t remaining_ = 0;
    bool has_bytes_ = false;
    bool has_length_ = false;
    bool chunked_ = false;
    bool keeps_connection_ = false;
    int status_ = 0;
    std::string worker_;
    std::string fault_;
};

}  // namespace holdfast::test
