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

// The base environment that the tests use.
std::vector<std::string> test_environment();

// The resolved spec; a failure fails the test.
LaunchSpec resolved(const LaunchOptions& options);
// Why the command cannot be resolved or launched, as text; "" if it can.
std::string failure_text(const LaunchOptions& options);

struct PipeEnds {
    UniqueFd read;
    UniqueFd write;
};
PipeEnds make_pipe();

// Reads until the other end is closed.
std::string read_all(const UniqueFd& pipe);
// The next line without its newline; at the end of the file, the rest.
std::string read_line(const UniqueFd& pipe);

// A started worker with a pipe from its standard output.
struct Started {
    Leader leader;
    UniqueFd output;
};
Started start(Launcher& launcher, const LaunchSpec& spec, LaunchPlan plan = {});
Started start(const LaunchOptions& options, LaunchPlan plan = {});

// Waits for the end of a child that has no descendants, and reaps it.
ExitStatus wait_and_reap(Leader& leader);
void wait_for_end(const Process& process);
// Waits for the ends of all children, including adopted orphans, and reaps them.
void reap_everything();

// The output of a worker, which must exit with status 0.
std::string output_of(const LaunchOptions& options, LaunchPlan plan = {});
// The lines that begin with `word` and a blank, without that prefix.
std::vector<std::string> lines_of(const std::string& output, const std::string& word);
// The value of the line "word Key:<blanks>value".
std::string status_field(const std::string& output, const std::string& key);

// A temporary directory; the destructor removes it with its contents.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }
    // Writes a file with this name and returns its path.
    std::string write(const std::string& name, const std::string& content, unsigned mode = 0644) const;

  private:
    std::string path_;
};

}  // namespace holdfast::os
