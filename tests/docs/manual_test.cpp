// Compares the manual with the tables of the program in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/option_table.hpp"
#include "cli/signal_table.hpp"

namespace holdfast::cli {
namespace {

// A list item of the manual: the arguments of `.It`, and the lines up to the next item.
struct Item {
    std::string head;
    std::string body;
};

std::vector<std::string> manual_lines() {
    std::ifstream file(HOLDFAST_MANUAL);
    EXPECT_TRUE(file.is_open()) << HOLDFAST_MANUAL;
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// The items between a heading line and the next heading. Fails the test if there are none.
std::vector<Item> items_of(const std::string& heading) {
    std::vector<Item> items;
    bool is_inside = false;
    for (const std::string& line : manual_lines()) {
        if (line.starts_with(".Sh ") || line.starts_with(".Ss ")) is_inside = line == heading;
        if (!is_inside) continue;
        if (line.starts_with(".It ")) {
            items.push_back({line.substr(4), {}});
        } else if (!items.empty()) {
            items.back().body += line + "\n";
        }
    }
    EXPECT_FALSE(items.empty()) << "the manual has no list under \"" << heading << "\"";
    return items;
}

// The heads of a list whose items all begin with `macro`, without the macro.
std::set<std::string> heads_of(const std::string& heading, const std::string& macro) {
    std::set<std::string> heads;
    for (const Item& item : items_of(heading)) {
        EXPECT_TRUE(item.head.starts_with(macro)) << item.head;
        EXPECT_TRUE(heads.insert(item.head.substr(macro.size())).second) << item.head << " occurs twice";
        EXPECT_FALSE(item.body.empty()) << item.head << " is not explained";
    }
    return heads;
}

std::string head_of(const OptionSpec& option) {
    return std::string(option.name) + (option.argument.empty() ? "" : " Ar " + std::string(option.argument));
}

constexpr const char* run_heading = ".Ss Options of run";

TEST(Manual, HasTheOptionsOfRunWithTheirArguments) {
    std::set<std::string> options{"help", "version"};
    for (const RunOption& option : run_options()) options.insert(head_of(option.spec));
    EXPECT_EQ(heads_of(run_heading, "Fl -"), options);
}

TEST(Manual, HasTheDefaultsOfTheOptionsOfRun) {
    std::map<std::string, std::string> bodies;
    for (const Item& item : items_of(run_heading)) bodies[item.head] = item.body;
    for (const RunOption& option : run_options()) {
        const std::string& body = bodies["Fl -" + head_of(option.spec)];
        const std::string phrase = "The default is\n.Cm ";
        if (option.spec.default_value.empty()) {
            EXPECT_EQ(body.find(phrase), body.npos) << option.spec.name;
        } else {
            EXPECT_THAT(body, testing::HasSubstr(phrase + std::string(option.spec.default_value) + " .\n"));
        }
    }
}

TEST(Manual, HasTheOptionsOfTheOtherCommands) {
    std::set<std::string> options{"help"};
    for (const ClientOption& option : client_options()) options.insert(head_of(option.spec));
    for (const OptionSpec& option : doctor_options()) options.insert(head_of(option));
    EXPECT_EQ(heads_of(".Ss Options of the other commands", "Fl -"), options);
}

TEST(Manual, HasTheCommands) {
    std::set<std::string> commands;
    for (const CommandRow& row : command_table()) commands.emplace(row.name);
    EXPECT_EQ(heads_of(".Sh COMMANDS", "Cm "), commands);
}

TEST(Manual, HasTheSignals) {
    std::set<std::string> signals;
    for (const SignalRow& row : signal_table) signals.emplace(row.signal);
    EXPECT_EQ(heads_of(".Sh SIGNALS", "Dv "), signals);
}

TEST(Manual, HasTheExitCodes) {
    std::set<std::string> codes;
    for (const ExitCodeRow& row : exit_codes) codes.insert(std::to_string(to_int(row.code)));
    EXPECT_EQ(heads_of(".Sh EXIT STATUS", ""), codes);
}

}  // namespace
}  // namespace holdfast::cli
