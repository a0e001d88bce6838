#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment.hpp"

namespace holdfast {

// The inherited listeners that have not been taken. Not synchronised.
class InheritedListeners {
  public:
    explicit InheritedListeners(std::vector<InheritedListener> listeners);

    // Takes a listener by name, else by address; an empty argument matches none. Throws as parse_address() does.
    std::optional<InheritedListener> take(std::string_view name, std::string_view address);

    // Takes the listener if exactly one was inherited.
    std::optional<InheritedListener> take_only();

    bool is_empty() const { return available_.empty(); }

    // The listeners as text for a message: `admin (127.0.0.1:9901), http ([::]:8080)`; "none" if there are none.
    std::string list() const;

  private:
    std::optional<InheritedListener> take_at(std::size_t index);

    std::vector<InheritedListener> available_;
    bool was_one_;
};

}  // namespace holdfast
