// The protocol is documented twice, in PROTOCOL.md and in holdfast-protocol(7). Both must document the same keys, and
// all keys of the codec.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "doc_parser.hpp"
#include "wire/wire.hpp"

namespace holdfast::docs {
namespace {

using testing::IsEmpty;

std::string markdown() { return read("child-sdk/PROTOCOL.md"); }
std::string protocol_page() { return read("man/holdfast-protocol.7"); }

// Every name in the first column of the tables between two headings.
std::set<std::string> names_of_tables(const std::string& from, const std::string& to) {
    const std::string text = markdown();
    const std::size_t begin = text.find("\n" + from);
    const std::size_t end = text.find("\n" + to, begin);
    EXPECT_NE(begin, text.npos) << from;
    EXPECT_NE(end, text.npos) << to;
    std::set<std::string> names;
    for (std::size_t at = text.find("\n| `", begin); at < end; at = text.find("\n| `", at + 1)) {
        const std::string cell = text.substr(at + 3, text.find(" |", at + 3) - at - 3);
        names.merge(all_of(cell, "`([A-Z_]+)(?:=1)?`"));
    }
    return names;
}

// Every name in the heads of a list. Fails if an item has no explanation.
std::set<std::string> names_of_lists(const std::string& heading, const std::string& macro) {
    std::set<std::string> names;
    for (const auto& [head, body] : items_of(protocol_page(), heading)) {
        EXPECT_FALSE(body.empty()) << head;
        if (head.starts_with(macro + " ")) names.merge(all_of(head, "([A-Z_]{2,})"));
    }
    return names;
}

std::set<std::string> keys_of_the_codec() { return all_of(read("child-sdk/src/wire/decode.cpp"), "key == \"(\\w+)\""); }

TEST(ProtocolPages, HaveTheSameKeys) {
    const auto worker_keys = names_of_lists("WORKER TO SUPERVISOR", "Cm");
    EXPECT_EQ(names_of_tables("### Worker to supervisor", "Other keys"), worker_keys);
    const auto supervisor_keys = names_of_lists("SUPERVISOR TO WORKER", "Cm");
    EXPECT_EQ(names_of_tables("### Supervisor to worker", "| stage |"), supervisor_keys);
}

TEST(ProtocolPages, HaveEveryKeyOfTheCodec) {
    auto documented = names_of_lists("WORKER TO SUPERVISOR", "Cm");
    documented.merge(names_of_lists("SUPERVISOR TO WORKER", "Cm"));
    EXPECT_THAT(missing(keys_of_the_codec(), documented), IsEmpty());
}

TEST(ProtocolPages, MarkKeysWithoutEffectAsReserved) {
    const auto known = keys_of_the_codec();
    for (const char* heading : {"WORKER TO SUPERVISOR", "SUPERVISOR TO WORKER"}) {
        for (const auto& [head, body] : items_of(protocol_page(), heading)) {
            const auto unknown = missing(all_of(head, "([A-Z_]{2,})"), known);
            EXPECT_TRUE(unknown.empty() || body.starts_with(".Em Later")) << head;
        }
    }
}

TEST(ProtocolPages, HaveTheSameVariables) {
    EXPECT_EQ(names_of_tables("## What a worker starts with", "Standard input"),
              names_of_lists("WHAT A WORKER STARTS WITH", "Ev"));
}

TEST(ProtocolPages, HaveTheStagesAndTheReasons) {
    const auto words = names_after_macro(protocol_page(), "Cm");
    const std::string text = markdown();
    for (const Stage stage : {Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel}) {
        const std::string name(wire::name_of(stage));
        EXPECT_TRUE(items_of(protocol_page(), "STAGES").contains("Cm " + name)) << name;
        EXPECT_THAT(text, testing::HasSubstr("\n| `" + name + "` |"));
    }
    for (const Reason reason :
         {Reason::restart, Reason::stop, Reason::scale, Reason::recycle, Reason::unhealthy, Reason::rollback}) {
        const std::string name(wire::name_of(reason));
        EXPECT_TRUE(words.contains(name)) << name;
        EXPECT_THAT(text, testing::HasSubstr("`" + name + "`"));
    }
}

TEST(ProtocolPages, HaveTheKindsOfTheReport) {
    std::set<std::string> kinds;
    for (const auto& [head, body] : items_of(protocol_page(), "THE DRAIN REPORT")) kinds.insert(head);
    EXPECT_EQ(kinds,
              (std::set<std::string>{"Cm request", "Cm session", "Cm task", "Cm work", "Cm resource", "Cm callback"}));
    for (const std::string& kind : kinds) {
        EXPECT_THAT(markdown(), testing::HasSubstr("\n| `" + kind.substr(3) + "` |"));
    }
}

}  // namespace
}  // namespace holdfast::docs
