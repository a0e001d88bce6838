#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment.hpp"

namespace holdfast {

// The listeners that this process inherited. Each can be taken once. Not synchronised.
class InheritedListeners {
  public:
    explicit InheritedListeners(std::vector<InheritedListener> listeners);

    // Takes the listener that the program calls `name` and expects at `address`: the one with that name, else the one
    // without a name at that address, else the only one inherited, if it has no name either and is not reachable from
    // further away than `address`. A listener to which somebody gave another name is never taken. Throws as
    // parse_address() does.
    std::optional<InheritedListener> take_for(std::string_view name, std::string_view address);

    // Takes a listener by its name, else by its address.
    std::optional<InheritedListener> take(std::string_view name_or_address);

    // Takes the listener if exactly one was inherited.
    std::optional<InheritedListener> take_only();

    // Whether any was inherited.
    bool exist() const { return count_ > 0; }

    // What was inherited as text for a message: `admin (127.0.0.1:9901), [::]:8080, taken as http`; "none" if there
    // was none.
    std::string list() const;

    // Those that have not been taken.
    const std::vector<InheritedListener>& available() const { return available_; }

  private:
    template <class Matches>
    std::optional<InheritedListener> take_first(Matches matches, std::string_view taken_as);

    std::vector<InheritedListener> available_;
    std::vector<std::string> taken_;  // as text
    std::size_t count_;
};

// Whether somebody chose the name: it is not empty, not the address of the listener with ':' written as '_', and none
// that systemd gives by itself ("unknown", "stored", "connection", the name of the unit).
bool is_given_name(std::string_view name);

}  // namespace holdfast
