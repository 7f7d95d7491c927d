#include "app/yaml_tree.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace windlass::app {
namespace {

/// Builds the tree from the parser's events. yaml-cpp's own nodes would keep keys that occur twice, and know no limits.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string source) : source_(std::move(source)) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(place(mark), 1);
    add(YamlNode{YamlNode::Kind::null, place(mark), {}, {}, {}}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    count(place(mark), 1);
    // A plain scalar has the tag "?", a quoted one "!".
    const bool is_null = tag == "?" && (value == "~" || value == "null" || value == "Null" || value == "NULL");
    if (is_null && (open_.empty() || !open_.back().awaits_key()))
      add(YamlNode{YamlNode::Kind::null, place(mark), {}, {}, {}}, anchor);
    else
      add(YamlNode{YamlNode::Kind::scalar, place(mark), value, {}, {}}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) fail(mark, "an alias to something that is not complete yet");
    count(place(mark), found->second.size);
    if (open_.size() + found->second.depth > max_yaml_depth) fail_depth(mark);
    add(found->second.node, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, YamlNode::Kind::list, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, YamlNode::Kind::map, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override {
    merge_inherited(open_.back().node);
    close();
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::size_t nodes_before;  // how many there were when it began
    bool has_key = false;
    YamlNode key;

    bool awaits_key() const { return node.kind == YamlNode::Kind::map && !has_key; }
  };
  struct Anchored {
    YamlNode node;
    std::size_t size;
    std::size_t depth;
  };

  Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& problem) const {
    throw ConfigError(place(mark), {}, problem);
  }
  [[noreturn]] void fail_depth(const YAML::Mark& mark) const {
    fail(mark, fmt::format("expected YAML nested at most {} levels deep", max_yaml_depth));
  }

  void count(const Place& where, std::size_t nodes) {
    if (nodes > max_yaml_nodes - nodes_)
      throw ConfigError(where, {}, fmt::format("expected at most {} YAML nodes, aliases resolved", max_yaml_nodes));
    nodes_ += nodes;
  }

  void open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= max_yaml_depth) fail_depth(mark);
    const std::size_t nodes_before = nodes_;
    count(place(mark), 1);
    open_.push_back(Open{YamlNode{kind, place(mark), {}, {}, {}}, anchor, nodes_before, false, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    const std::size_t size = nodes_ - done.nodes_before;
    add(std::move(done.node), done.anchor, size);
  }

  void add(YamlNode node, YAML::anchor_t anchor, std::size_t size = 1) {
    if (anchor != YAML::NullAnchor) {
      count(node.place, size);  // what is kept for aliases takes memory, too
      anchored_[anchor] = Anchored{node, size, depth_of(node)};
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind != YamlNode::Kind::scalar) throw ConfigError(node.place, {}, "expected a name as key");
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      add_pair(parent, std::move(node));
      parent.has_key = false;
    }
  }

  void add_pair(Open& parent, YamlNode value) {
    // An empty value has the place of what follows it: its key's is more useful.
    if (value.kind == YamlNode::Kind::null) value.place = parent.key.place;
    auto& pairs = parent.node.pairs;
    const auto twin =
        std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.key == parent.key.text; });
    if (twin != pairs.end())
      throw ConfigError(
          parent.key.place, {},
          fmt::format("the key {} occurs twice; first at {}", in_quotes(parent.key.text), twin->value.place.text()));
    pairs.push_back({std::move(parent.key.text), std::move(value)});
  }

  /// "<<: *other" and "<<: [*one, *other]" add the pairs of the others that the map does not have itself.
  static void merge_inherited(YamlNode& map) {
    const auto merge =
        std::find_if(map.pairs.begin(), map.pairs.end(), [](const auto& pair) { return pair.key == "<<"; });
    if (merge == map.pairs.end()) return;
    const YamlNode inherited = std::move(merge->value);
    map.pairs.erase(merge);
    const auto add_from = [&map](const YamlNode& from) {
      if (from.kind != YamlNode::Kind::map) throw ConfigError(from.place, {}, "expected a map to merge with <<");
      for (const auto& pair : from.pairs)
        if (std::none_of(map.pairs.begin(), map.pairs.end(), [&](const auto& own) { return own.key == pair.key; }))
          map.pairs.push_back(pair);
    };
    if (inherited.kind != YamlNode::Kind::list) return add_from(inherited);
    for (const YamlNode& from : inherited.items) add_from(from);
  }

  static std::size_t depth_of(const YamlNode& node) {
    std::size_t depth = 0;
    for (const YamlNode& item : node.items) depth = std::max(depth, depth_of(item));
    for (const auto& [key, value] : node.pairs) depth = std::max(depth, depth_of(value));
    return depth + (node.kind == YamlNode::Kind::list || node.kind == YamlNode::Kind::map ? 1 : 0);
  }

  std::string source_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;
  std::size_t nodes_ = 0;
};

}  // namespace

YamlNode parse_yaml(std::string_view text, const std::string& source) {
  if (text.size() > max_yaml_bytes)
    throw ConfigError({source}, {}, fmt::format("expected at most {} bytes of YAML", max_yaml_bytes));
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(source);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return YamlNode{YamlNode::Kind::null, {source, 1, 1}, {}, {}, {}};
    TreeBuilder second(source);
    if (parser.HandleNextDocument(second)) {
      const YamlNode root = second.take_root();
      throw ConfigError(root.place, {}, "expected one YAML document, got several");
    }
  } catch (const YAML::Exception& error) {
    throw ConfigError({source, std::max(0, error.mark.line + 1), std::max(0, error.mark.column + 1)}, {},
                      "not valid YAML: " + printable(error.msg, 200));
  }
  return builder.take_root();
}

}  // namespace windlass::app
