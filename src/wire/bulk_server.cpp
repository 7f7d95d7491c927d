#include "wire/bulk_server.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "wire/json_reading.h"

namespace windlass::wire::bulk {
namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

constexpr std::string_view illegal_argument = "illegal_argument_exception";

/// As it stands in JSON, with its quotes.
std::string as_json(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c >= 0 && c < ' ')
      fmt::format_to(std::back_inserter(result), "\\u{:04x}", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result += '"';
}

/// Takes the first of some texts with `separator` between them.
std::string_view take_first(std::string_view& texts, char separator) {
  const auto end = std::min(texts.find(separator), texts.size());
  const std::string_view first = texts.substr(0, end);
  texts.remove_prefix(std::min(end + 1, texts.size()));
  return first;
}

/// Whether the pattern of names names this member, or one that it is in.
bool covers(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return true;
  if (path.empty()) return false;
  std::string_view names = pattern, inner = path;
  const std::string_view name = take_first(names, '.');
  const std::string_view member = take_first(inner, '.');
  if (name != "**") return matches(name, member) && covers(names, inner);
  return names == "**" || names.starts_with("**.") ? covers(names, path)
                                                   : covers(names, path) || covers(pattern, inner);
}

/// Reads the action, which makes the item. Returns what is wrong with it; empty: nothing.
std::string read_action(const dom::element& line, Item& item) {
  dom::object object, metadata;
  if (line.get_object().get(object)) return "expected START_OBJECT";
  if (object.size() == 0) return "expected FIELD_NAME but found [END_OBJECT]";
  const auto& [name, value] = *object.begin();
  if (name != "create" && name != "index") return fmt::format("expected one of [create, index] but found [{}]", name);
  item.operation = name == "create" ? Operation::create : Operation::index;
  if (value.get_object().get(metadata)) return "expected START_OBJECT or END_OBJECT";
  constexpr std::string_view others[] = {
      "routing", "pipeline", "require_alias", "require_data_stream", "dynamic_templates", "list_executed_pipelines"};
  for (const auto& [key, what] : metadata) {
    std::string_view text;
    if (key == "_index" || key == "_id") {
      std::string& to = key == "_index" ? item.index : item.id;
      if (what.is_null()) continue;
      if (what.is_array() || what.is_object()) return fmt::format("expected a simple value for field [{}]", key);
      to = what.get_string().get(text) ? simdjson::minify(what) : std::string(text);
      if (key == "_id" && to.empty()) item.refuse(400, illegal_argument, "if _id is specified it must not be empty");
    } else if (std::ranges::find(others, key) == std::end(others)) {
      return fmt::format("contains an unknown parameter [{}]", key);
    }
  }
  return {};
}

/// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create
std::string problem_of_name(std::string_view index) {
  if (std::ranges::any_of(index, [](char c) { return c >= 'A' && c <= 'Z'; })) return "must be lowercase";
  if (index.find_first_of("\\/*?\"<>| ,#:") != std::string_view::npos)
    return "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',']";
  if (index.find_first_of("_-+") == 0) return "must not start with '_', '-', or '+'";
  if (index == "." || index == "..") return "must not be '.' or '..'";
  if (index.size() > 255) return fmt::format("index name is too long, ({} > 255)", index.size());
  return {};
}

void check_document(const dom::object& document, Item& item) {
  unsigned times = 0;
  for (const auto& [name, value] : document) {
    if (name != "@timestamp") continue;
    dom::array values;
    ++times;
    item.has_timestamp = value.get_array().get(values) ? !value.is_null() : values.size() == 1;
  }
  if (times != 1) item.has_timestamp = false;
}

}  // namespace

std::optional<std::vector<Item>> read_request(std::string_view body, std::string_view index, Error& problem) {
  const auto fail = [&](std::string_view type, std::string reason) {
    problem = {type, std::move(reason)};
    return std::nullopt;
  };
  const auto invalid = [&](std::string_view why) {
    return fail("action_request_validation_exception", fmt::format("Validation Failed: 1: {};", why));
  };
  if (body.empty()) return fail("parse_exception", "request body is required");
  if (!body.ends_with('\n')) return fail(illegal_argument, "The bulk request must be terminated by a newline [\\n]");
  dom::parser parser;
  std::vector<Item> items;
  for (std::size_t number = 1; !body.empty(); ++number) {
    const std::string_view action = take_first(body, '\n');
    if (trimmed_json(action).empty()) continue;
    Item item;
    dom::element element;
    const std::string wrong =
        parser.parse(action.data(), action.size()).get(element) ? "it is no JSON" : read_action(element, item);
    if (!wrong.empty())
      return fail(illegal_argument, fmt::format("Malformed action/metadata line [{}], {}", number, wrong));
    if (body.empty()) break;  // an action without a document is no item, there either
    item.document = take_first(body, '\n');
    ++number;
    if (item.index.empty()) item.index = index;
    if (item.index.empty()) return invalid("index is missing");
    if (item.id.size() > longest_id)
      return invalid(
          fmt::format("id [{}] is too long, must be no longer than 512 bytes but was: {}", item.id, item.id.size()));
    dom::object document;
    if (const std::string bad = problem_of_name(item.index); !bad.empty())
      item.refuse(400, "invalid_index_name_exception", fmt::format("Invalid index name [{}], {}", item.index, bad));
    else if (item.document.empty() || parser.parse(item.document.data(), item.document.size()).get(element) ||
             element.get_object().get(document))
      item.refuse(400, "document_parsing_exception", "failed to parse");  // OpenSearch: mapper_parsing_exception
    else
      check_document(document, item);
    items.push_back(std::move(item));
  }
  if (items.empty()) return invalid("no requests added");
  return items;
}

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t place = 0, at = 0, star = std::string_view::npos, from = 0;
  while (at < name.size()) {
    if (place < pattern.size() && pattern[place] == '*') {
      star = place++;
      from = at;
    } else if (place < pattern.size() && pattern[place] == name[at]) {
      ++place;
      ++at;
    } else if (star != std::string_view::npos) {  // the last star takes one more
      place = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', place) == std::string_view::npos;
}

AnswerFilter::AnswerFilter(std::string_view filter_path) {
  const auto wants = [&](std::string_view member) {
    bool some = false, named = false;
    for (std::string_view patterns = filter_path; !patterns.empty();) {
      const std::string_view pattern = trimmed_json(take_first(patterns, ','));
      if (pattern.empty()) continue;
      if (pattern.starts_with('-')) {
        if (covers(pattern.substr(1), member)) return false;
      } else {
        some = true;
        named = named || covers(pattern, member);
      }
    }
    return named || !some;
  };
  took_ = wants("took");
  errors_ = wants("errors");
  for (const Operation operation : {Operation::create, Operation::index}) {
    const auto member = [&](std::string_view name) {
      return wants(fmt::format("items.{}.{}", to_string(operation), name));
    };
    members_[static_cast<std::size_t>(operation)] = {member("_index"), member("_id"),        member("result"),
                                                     member("status"), member("error.type"), member("error.reason")};
  }
}

void encode_answer(const std::vector<Item>& items, const AnswerFilter& filter, base::ByteQueue& out) {
  fmt::memory_buffer text;
  const auto put = [&](std::string_view what) { text.append(what.data(), what.data() + what.size()); };
  // What is between braces or brackets, with a comma before all but the first; without any of it, they are left out.
  const auto member = [&](std::size_t begin, std::string_view name, std::string_view value = {}) {
    if (text.size() > begin) put(",");
    put(name);
    put(value);
  };
  if (filter.took_) put("\"took\":1");
  if (filter.errors_) member(0, "\"errors\":", std::ranges::any_of(items, &Item::refused) ? "true" : "false");
  const std::size_t before_items = text.size();
  member(0, "\"items\":[");
  const std::size_t first_item = text.size();
  for (const Item& item : items) {
    const auto& wanted = filter.members_[static_cast<std::size_t>(item.operation)];
    const std::size_t before = text.size();
    member(first_item, "{\"");
    put(to_string(item.operation));
    put("\":{");
    const std::size_t begin = text.size();
    if (wanted.index) member(begin, "\"_index\":", as_json(item.index));
    if (wanted.id && !item.id.empty()) member(begin, "\"_id\":", as_json(item.id));
    if (wanted.result && !item.refused())
      member(begin, item.status == 200 ? "\"result\":\"updated\"" : "\"result\":\"created\"");
    if (wanted.status) member(begin, "\"status\":", std::to_string(item.status));
    if (item.refused() && (wanted.error_type || wanted.error_reason)) {
      member(begin, "\"error\":{");
      const std::size_t error = text.size();
      if (wanted.error_type) member(error, "\"type\":", as_json(item.error.type));
      if (wanted.error_reason) member(error, "\"reason\":", as_json(item.error.reason));
      put("}");
    }
    if (text.size() == begin)
      text.resize(before);
    else
      put("}}");
  }
  if (text.size() == first_item)
    text.resize(before_items);
  else
    put("]");
  out.append("{");
  out.append({text.data(), text.size()});
  out.append("}");
}

std::string error_answer(const Error& error, unsigned status) {
  const std::string what = fmt::format(R"("type":{},"reason":{})", as_json(error.type), as_json(error.reason));
  return fmt::format(R"({{"error":{{"root_cause":[{{{0}}}],{0}}},"status":{1}}})", what, status);
}

std::string error_answer(std::string_view text, unsigned status) {
  return fmt::format(R"({{"error":{},"status":{}}})", as_json(text), status);
}

bool read_array(std::string_view body, std::vector<std::string>& elements) {
  base::ByteQueue room;
  ondemand::parser parser;
  ondemand::document document;
  ondemand::array array;
  if (parser.iterate(padded(body, room)).get(document) || document.get_array().get(array)) return false;
  for (auto element : array) {
    ondemand::object object;
    std::string_view text;
    if (element.get_object().get(object) || object.raw_json().get(text)) return false;
    elements.emplace_back(trimmed_json(text));
  }
  return at_end(document);
}

}  // namespace windlass::wire::bulk
