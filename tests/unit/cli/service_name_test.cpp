#include "cli/service_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parse_fixture.hpp"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

std::string name_of(const std::string& command) {
    const auto name = default_name(words(command));
    return name ? *name : name.error().text;
}

TEST(ServiceName, IsTheCommandsBaseName) {
    EXPECT_EQ(name_of("./srv --port 3"), "srv");
    EXPECT_EQ(name_of("/usr/sbin/nginx -g x"), "nginx");
    EXPECT_EQ(name_of("gunicorn app:app"), "gunicorn");
}

TEST(ServiceName, IsTheScriptsNameAfterAnInterpreterOrShell) {
    EXPECT_EQ(name_of("python3 /srv/app.py --x"), "app.py");
    EXPECT_EQ(name_of("/usr/bin/python3.11 -u -X dev /srv/app.py"), "app.py");
    EXPECT_EQ(name_of("python3 -m http.server 80"), "http.server");
    EXPECT_EQ(name_of("node --require x.js /srv/server.js"), "server.js");
    EXPECT_EQ(name_of("bash -e ./start"), "start");
    EXPECT_EQ(name_of("sh -- ./start"), "start");
    EXPECT_EQ(name_of("/bin/sh ./start.sh"), "start.sh");
    EXPECT_EQ(name_of("env -i A=1 B=2 perl -w app.pl"), "app.pl");
    EXPECT_EQ(name_of("/usr/bin/env ./srv"), "srv");
    EXPECT_EQ(name_of("ruby"), "ruby");
}

TEST(ServiceName, IsRequiredIfTheCommandHasNone) {
    EXPECT_THAT(name_of("sh -c x"), HasSubstr("cannot name the service after \"sh -c\""));
    EXPECT_THAT(name_of("bash -lc x"), HasSubstr("--name web"));
    EXPECT_THAT(name_of("node -e x"), HasSubstr("--name web"));
    EXPECT_THAT(name_of("python3 -c x"), HasSubstr("--name web"));
    EXPECT_THAT(name_of("/srv/my+app"), HasSubstr("cannot name the service after \"my+app\""));
    EXPECT_THAT(refusal_of("run -- sh -c x"), HasSubstr("--name web"));
    EXPECT_EQ(run_with(words("run --name web -- sh -c x")).name, "web");
}

}  // namespace
}  // namespace holdfast::cli
