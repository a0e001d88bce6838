#pragma once

#include <string>

#include "api/client/client.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// The progress of a change: new workers that serve and old workers that have ended, of all workers concerned.
struct Tally {
    int done = 0;
    int total = 0;
};

// `most_leaving`: the maximum of leaving() during this change, so that the bar never moves back.
Tally tally(const api::ServiceView& service, int most_leaving);

// The number of workers that have to end: those of another generation and those that were asked to leave.
int leaving(const api::ServiceView& service);

// The progress of a change in lines of less than `width` columns, none of them empty: a heading, a bar, and at most
// eight lines for workers that the change waits for. Pure.
std::string render_progress(const api::ServiceView& service, int most_leaving, int width, Colour colour);

// An event as a line of text. Control characters are replaced.
std::string render_event(const api::EventView& event);

// What a worker still holds, as it reported: "3 requests, oldest GET /report 12s". Empty if it reported nothing.
std::string render_held(const api::WorkerView& worker);

// Shortens a UTF-8 text to at most `columns` columns; a shortened text ends with "…".
std::string fit(std::string text, int columns);

}  // namespace holdfast::cli
