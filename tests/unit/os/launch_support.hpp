#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.hpp"
#include "os/launch_spec.hpp"
#include "os/launcher.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The program of launch_probe.cpp.
std::string launch_probe();

LaunchOptions command(std::vector<std::string> words);
LaunchOptions shell(const std::string& script);

// The environment that tests resolve with.
std::vector<std::string> test_environment();

// Resolved; a failed one fails the test.
LaunchSpec resolved(const LaunchOptions& options);
// Why it cannot be resolved or launched, in words for people; "" when it can.
std::string why_not(const LaunchOptions& options);

struct PipeEnds {
    UniqueFd read;
    UniqueFd write;
};
PipeEnds make_pipe();

// Until the other side has closed it.
std::string read_all(const UniqueFd& pipe);
// The next line, without its end; what came before the end of file otherwise.
std::string read_line(const UniqueFd& pipe);

// A started worker whose standard output comes back through a pipe.
struct Started {
    Leader leader;
    UniqueFd output;
};
Started start(Launcher& launcher, const LaunchSpec& spec, LaunchPlan plan = {});
Started start(const LaunchOptions& options, LaunchPlan plan = {});

// Waits for the end of a child that is alone in its tree, and reaps it.
ExitStatus wait_and_reap(Leader& leader);
void wait_for_end(const Process& process);
// Waits for the ends of all children, orphans that came to us too, and reaps them.
void reap_everything();

// What a worker wrote until it ended with status 0.
std::string output_of(const LaunchOptions& options, LaunchPlan plan = {});
// The rests of the lines that begin with `word` and a blank.
std::vector<std::string> lines_of(const std::string& output, const std::string& word);
// The value of a line "word Key:<blanks>value".
std::string status_field(const std::string& output, const std::string& key);

// A directory that vanishes with all that is in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }
    // Writes a file of that name; the path.
    std::string write(const std::string& name, const std::string& content, unsigned mode = 0644) const;

  private:
    std::string path_;
};

}  // namespace holdfast::os
