#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::test {

// Parses HTTP/1.x responses from a stream. It is strict: a client that accepts a response with a missing byte would
// prove nothing. The end of the body is given by Content-Length, by chunks, or by the end of the stream.
class ResponseParser {
  public:
    enum class State { incomplete, complete, malformed };

    // Bytes after the end of the response make it malformed, because there is no request that they could answer.
    State feed(std::string_view bytes);

    // The stream has ended. The response is complete if its body ends with the stream; otherwise nothing changes.
    State end_of_stream();

    // Ready for the next response on the same connection.
    void reset();

    bool has_bytes() const { return has_bytes_; }
    // Valid once complete.
    int status() const { return status_; }
    bool keeps_connection() const { return keeps_connection_; }
    const std::string& worker() const { return worker_; }  // X-Worker; empty if there is none
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
    // Parses one part. False if more bytes are needed or if the state is final.
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
