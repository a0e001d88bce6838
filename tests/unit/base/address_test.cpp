#include "base/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::HasSubstr;

ListenAddress parsed(std::string_view text) {
    const auto address = parse_listen_address(text);
    EXPECT_TRUE(address) << address.error().text;
    return address ? *address : ListenAddress{};
}

std::string error_of(std::string_view text) {
    const auto address = parse_listen_address(text);
    EXPECT_FALSE(address) << text;
    return address ? "" : address.error().text;
}

TEST(ListenAddress, PortAloneMeansEveryAddress) {
    for (const std::string_view text : {"8080", ":8080"}) {
        const ListenAddress address = parsed(text);
        EXPECT_EQ(address.family, Family::inet);
        EXPECT_EQ(address.transport, Transport::tcp);
        EXPECT_EQ(address.type, SocketType::stream);
        EXPECT_EQ(address.host, "");
        EXPECT_EQ(address.port, 8080);
        EXPECT_EQ(address.text, text);
    }
}

TEST(ListenAddress, HostAndPortAreParsed) {
    EXPECT_EQ(parsed("127.0.0.1:8080").host, "127.0.0.1");
    EXPECT_EQ(parsed("127.0.0.1:0").port, 0);
    EXPECT_EQ(parsed("0.0.0.0:65535").port, 65535);
    EXPECT_EQ(parsed("[::1]:8080").host, "::1");
    EXPECT_EQ(parsed("[::]:80").host, "::");
    EXPECT_EQ(parsed("[fe80::1%eth0]:80").host, "fe80::1%eth0");
    EXPECT_EQ(parsed("[::ffff:10.0.0.1]:80").host, "::ffff:10.0.0.1");
    EXPECT_EQ(parsed("[1:2:3:4:5:6:7:8]:80").host, "1:2:3:4:5:6:7:8");
}

TEST(ListenAddress, UnixPathAcceptsAllItsKeys) {
    const ListenAddress address = parsed("unix:/run/app.sock?mode=0660&user=www&group=33&backlog=100&nonblock");
    EXPECT_EQ(address.family, Family::unix_path);
    EXPECT_EQ(address.transport, Transport::local);
    EXPECT_EQ(address.path, "/run/app.sock");
    EXPECT_EQ(address.text, "unix:/run/app.sock");
    EXPECT_EQ(address.mode, 0660U);
    EXPECT_EQ(address.user, "www");
    EXPECT_EQ(address.group, "33");
    EXPECT_EQ(address.backlog, 100);
    EXPECT_TRUE(address.nonblock);
}

TEST(ListenAddress, AbstractNameIsStoredWithoutTheAtSign) {
    const ListenAddress address = parsed("unix:@app?backlog=1");
    EXPECT_EQ(address.family, Family::unix_abstract);
    EXPECT_EQ(address.path, "app");
}

TEST(ListenAddress, DescriptorAndSystemd) {
    EXPECT_EQ(parsed("fd:3").descriptor, 3);
    EXPECT_EQ(parsed("fd:3").family, Family::descriptor);
    EXPECT_EQ(parsed("systemd").family, Family::systemd);
}

TEST(ListenAddress, NamePrecedesTheAddress) {
    EXPECT_EQ(parsed("web=:8080").name, "web");
    EXPECT_EQ(parsed("web=:8080").text, ":8080");
    EXPECT_EQ(parsed("a.b-c_1=unix:/x").name, "a.b-c_1");
    EXPECT_EQ(parsed("unix:/run/a=b.sock").name, "");
    EXPECT_EQ(parsed("unix:/run/a=b.sock").path, "/run/a=b.sock");
    EXPECT_EQ(parsed("8080?backlog=5").name, "");
}

TEST(ListenAddress, UnnamedListenerIsNamedByItsAddress) {
    EXPECT_EQ(listener_name(parsed("web=:8080")), "web");
    EXPECT_EQ(listener_name(parsed("127.0.0.1:8080?backlog=4")), "127.0.0.1_8080");
    EXPECT_EQ(listener_name(parsed("unix:/run/app.sock")), "unix_/run/app.sock");
}

TEST(ListenAddress, BooleanKeysAcceptTheUsualSpellings) {
    EXPECT_EQ(parsed("[::]:80?v6only").v6only, true);
    EXPECT_EQ(parsed(":80?v6only=no").v6only, false);
    EXPECT_EQ(parsed(":80").v6only, std::nullopt);
    EXPECT_FALSE(parsed(":80?nonblock=0").nonblock);
    EXPECT_TRUE(parsed(":80?nonblock=true").nonblock);
}

struct InvalidAddress {
    std::string_view text;
    std::string_view expected;
};

class ListenAddressError : public testing::TestWithParam<InvalidAddress> {};

TEST_P(ListenAddressError, NamesTheAddressAndTheFault) {
    const std::string text = error_of(GetParam().text);
    EXPECT_THAT(text, HasSubstr(GetParam().expected));
    EXPECT_THAT(text, testing::StartsWith("cannot listen on \"" + std::string(GetParam().text) + "\": "));
}

constexpr InvalidAddress invalid_addresses[] = {
    {"", "an address is 8080, :8080"},
    {"web", "an address is 8080, :8080"},
    {"70000", "\"70000\" is not a whole number from 0 to 65535"},
    {":http", "the port \"http\" is not a whole number"},
    {"127.0.0.1:", "the port \"\" is not a whole number"},
    {"127.0.0.1", "a port is missing; write 127.0.0.1:8080"},
    {"127.0.0.256:80", "\"127.0.0.256\" is not an IPv4 address"},
    {"127.0.0.01:80", "\"127.0.0.01\" is not an IPv4 address"},
    {"localhost:80", "host names are not resolved; write 127.0.0.1:80 or [::1]:80"},
    {"example.org:80", "\"example.org\" is not an IPv4 address, and host names are not resolved"},
    {"*:80", "to listen on every address, write :80"},
    {"tcp:80", "TCP needs no prefix; write 80"},
    {"::1:8080", "an IPv6 address needs brackets; write [::1]:8080"},
    {"fe80::2:80", "an IPv6 address needs brackets; write [fe80::2]:8080"},
    {"[::1]", "a port is missing; write [::1]:8080"},
    {"[::1:80", "the closing ] is missing"},
    {"[::1::2]:80", "\"::1::2\" is not an IPv6 address"},
    {"[1:2:3]:80", "is not an IPv6 address"},
    {"[12345::]:80", "is not an IPv6 address"},
    {"[1:2:3:4:5:6:7:8:9]:80", "is not an IPv6 address"},
    {"[fe80::1%]:80", "is not an IPv6 address"},
    {"unx:/run/a", "there is no kind of address \"unx\", did you mean \"unix\"?"},
    {"sytemd", "did you mean \"systemd\"?"},
    {"/run/a.sock", "a path needs a prefix; write unix:/run/a.sock"},
    {"@a", "an abstract name needs a prefix; write unix:@a"},
    {"unix:", "a name is missing"},
    {"unix:@", "a name is missing"},
    {"unix:a.sock", "a path begins with /; write unix:/run/a.sock"},
    {"unix:/run/", "it names a directory"},
    {"fd:2", "the descriptor \"2\" is not a whole number from 3"},
    {"fd:x", "the descriptor \"x\" is not a whole number"},
    {"udp:53", "the kind \"udp\" is not part of this version"},
    {"unixgram:/x", "the kind \"unixgram\" is not part of this version"},
    {"unixpacket:/x", "the kind \"unixpacket\" is not part of this version"},
    {"=:80", "\"\" is not a name"},
    {"a b=:80", "\"a b\" is not a name"},
    {"web=systemd", "keep their names"},
    {":80?", "there is no key \"\""},
    {":80?backlg=5", "there is no key \"backlg\", did you mean \"backlog\"? the keys are backlog, v6only"},
    {":80?colour=red", "there is no key \"colour\"; the keys are"},
    {":80?reuseport", "the key \"reuseport\" is not part of this version; the keys are backlog"},
    {":80?defer-acept", "did you mean \"defer-accept\"?"},
    {":80?backlog=0", "backlog: \"0\" is not a whole number from 1"},
    {":80?backlog=5&backlog=6", "the key \"backlog\" is given twice"},
    {":80?mode=0660", "the key \"mode\" only applies to unix paths"},
    {"unix:@a?user=www", "the key \"user\" only applies to unix paths"},
    {"unix:/a?mode=0999", "mode: \"0999\" is not an octal mode"},
    {"unix:/a?mode=1777", "mode: \"1777\" is not an octal mode"},
    {"unix:/a?mode=", "mode: \"\" is not an octal mode"},
    {"unix:/a?group=", "group: a name or a number is missing"},
    {"unix:/a?v6only", "the key \"v6only\" only applies to IPv6 addresses"},
    {"127.0.0.1:80?v6only", "v6only: the address is IPv4"},
    {"[::]:80?v6only=maybe", "v6only: \"maybe\" is neither yes nor no"},
    {"systemd?backlog=4", "the key \"backlog\" only applies to single sockets"},
};

INSTANTIATE_TEST_SUITE_P(Each, ListenAddressError, testing::ValuesIn(invalid_addresses));

TEST(ListenAddress, UnixNameTooLongForTheKernelIsRejected) {
    EXPECT_EQ(parsed("unix:/" + std::string(106, 'a')).path.size(), 107U);
    EXPECT_THAT(error_of("unix:/" + std::string(107, 'a')),
                HasSubstr("it has 108 bytes; a unix address has at most 107"));
    EXPECT_EQ(parsed("unix:@" + std::string(107, 'a')).path.size(), 107U);
    EXPECT_THAT(error_of("unix:@" + std::string(108, 'a')), HasSubstr("108 bytes"));
}

TEST(ListenAddress, NulByteInAPathIsRejected) {
    EXPECT_THAT(error_of(std::string_view("unix:/a\0b", 9)), HasSubstr("it contains a NUL byte"));
}

TEST(ListenAddresses, ConflictIfTheirNamesOrAddressesAreEqual) {
    EXPECT_EQ(find_conflict({parsed(":80"), parsed("[::1]:80"), parsed("127.0.0.1:0"), parsed("x=127.0.0.1:0")}),
              std::nullopt);
    EXPECT_THAT(find_conflict({parsed("a=:80"), parsed("a=:81")}).value(), HasSubstr("two listeners \"a\""));
    EXPECT_THAT(find_conflict({parsed("a=:80"), parsed("b=80")}).value(), HasSubstr("twice"));
    EXPECT_THAT(find_conflict({parsed("unix:/a"), parsed("b=unix:/a")}).value(), HasSubstr("twice"));
    EXPECT_THAT(find_conflict({parsed("fd:3"), parsed("b=fd:3")}).value(), HasSubstr("twice"));
    EXPECT_THAT(find_conflict({parsed("systemd"), parsed("systemd")}).value(), HasSubstr("twice"));
    EXPECT_THAT(find_conflict({parsed("127.0.0.1:0"), parsed("127.0.0.1:0")}).value(), HasSubstr("write NAME=ADDRESS"));
}

}  // namespace
}  // namespace holdfast
