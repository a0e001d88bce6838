#pragma once

#include <string>

#include "api/client/client.hpp"
#include "cli/screen.hpp"

namespace holdfast::cli {

// How far a change has come: workers that are as they should be, of all that are concerned.
struct Tally {
    int done = 0;
    int total = 0;
};

// `most_leaving`: the most workers that were leaving at one moment of this change, so that the bar never goes back.
Tally tally(const api::ServiceView& service, int most_leaving);

// Those that the change waits for to end: every one of another generation, or that was told to leave.
int leaving(const api::ServiceView& service);

// What a change waits for, in lines of less than `width` columns, none of them empty: a heading, a bar, and a line for
// each worker that is waited for, at most eight. Pure.
std::string render_progress(const api::ServiceView& service, int most_leaving, int width, Colour colour);

// A line for a person about one event, without control characters.
std::string render_event(const api::EventView& event);

// "3 requests, oldest GET /report 12s": what a worker still holds. Empty: nothing that it told.
std::string render_held(const api::WorkerView& worker);

// At most `columns` columns of a text in UTF-8; what was cut off is told by "…".
std::string fit(std::string text, int columns);

}  // namespace holdfast::cli
