#pragma once

#include <string>

#include "core/action.hpp"
#include "core/event.hpp"
#include "core/policy.hpp"
#include "core/status.hpp"

namespace holdfast::simulator {

// One-line descriptions for the output of --verbose and --story.
std::string describe(const core::Event& event);
std::string describe(const core::Action& action);
std::string describe(const core::Status& status);
std::string describe(const core::Policy& policy);
std::string_view name_of(const core::Request& request);
std::string_view name_of(core::Outcome::Result result);
std::string_view name_of(core::Phase phase);
std::string_view name_of(Stage stage);

// "12.345678": seconds since the start of the simulation.
std::string seconds(Instant instant);

}  // namespace holdfast::simulator
