// The message about a worker that has no listener open.

#include "runtime/listener_claim.hpp"

#include <gtest/gtest.h>

namespace holdfast::runtime {
namespace {

std::string message_for(const std::string& command, std::vector<Worker::InheritedListener> listeners) {
    Worker worker;
    worker.name = "1.0";
    worker.command = command;
    worker.listeners = std::move(listeners);
    return missing_listener_claim(worker);
}

TEST(MissingClaim, NamesTheWrapperAndItsReplacement) {
    EXPECT_EQ(message_for("npm", {{1, ":8080"}}),
              "no process of worker 1.0 has :8080 open: does `npm` close inherited descriptors? run node directly");
    EXPECT_EQ(message_for("sudo", {{1, ":8080"}}),
              "no process of worker 1.0 has :8080 open: does `sudo` close inherited descriptors? run the program "
              "directly");
}

TEST(MissingClaim, SuspectsThatTheProgramClosesTheDescriptors) {
    EXPECT_EQ(message_for("server", {{1, ":8080"}, {2, "unix:/run/x.sock"}}),
              "no process of worker 1.0 has :8080 or unix:/run/x.sock open: does it close inherited descriptors?");
}

}  // namespace
}  // namespace holdfast::runtime
