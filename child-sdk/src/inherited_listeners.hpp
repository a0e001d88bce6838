#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment.hpp"

namespace holdfast {

// The inherited listeners that nobody has taken yet. Not synchronised.
class InheritedListeners {
  public:
    explicit InheritedListeners(std::vector<InheritedListener> listeners);

    // By name, else by address; an empty text fits none. Each can be taken once. Throws as parse_address() does.
    std::optional<InheritedListener> take(std::string_view name, std::string_view address);

    // The one and only that was inherited.
    std::optional<InheritedListener> take_only();

    bool is_empty() const { return available_.empty(); }

    // For a message: `admin (127.0.0.1:9901), http ([::]:8080)`; "none" if there are none.
    std::string list() const;

  private:
    std::optional<InheritedListener> take_at(std::size_t index);

    std::vector<InheritedListener> available_;
    bool was_one_;
};

}  // namespace holdfast
