#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "core/configuration.hpp"
#include "os/launch_spec.hpp"
#include "runtime/listeners.hpp"

namespace holdfast::runtime {

using SharedLaunchSpec = std::shared_ptr<const os::LaunchSpec>;
using SharedConfiguration = std::shared_ptr<const core::Configuration>;

// Everything that the workers of one generation are launched with.
struct GenerationSpec {
    SharedLaunchSpec launch_spec;  // empty: it is resolved when its first worker is launched
    SharedConfiguration configuration;
    ListenerUses listeners;
    Generation made_for;
};

// The specs that the core still uses.
class LaunchSpecs {
  public:
    GenerationSpec* find(LaunchSpecId id) {
        const auto found = specs_.find(id);
        return found == specs_.end() ? nullptr : &found->second;
    }
    GenerationSpec& add(LaunchSpecId id, GenerationSpec spec) { return specs_[id] = std::move(spec); }
    void forget(LaunchSpecId id) { specs_.erase(id); }

    // Listeners of a spec that is being prepared and not added yet; they must not be closed in the meantime.
    void reserve(ListenerUses uses) { reserved_ = std::move(uses); }
    void release() { reserved_.clear(); }

    // The listeners of all specs, including the reserved ones.
    std::vector<ListenerUses> listeners() const {
        std::vector<ListenerUses> result{reserved_};
        for (const auto& [id, spec] : specs_) result.push_back(spec.listeners);
        return result;
    }

    // The spec of the serving generation; a reload that keeps the workers changes it.
    void serve(LaunchSpecId id) { serving_ = id; }
    GenerationSpec* serving() { return find(serving_); }

  private:
    std::map<LaunchSpecId, GenerationSpec> specs_;
    LaunchSpecId serving_;
    ListenerUses reserved_;
};

}  // namespace holdfast::runtime
