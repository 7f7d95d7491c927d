// docs/configuration.md and windlass.reference.yml against the tables by which settings are read, in both directions.
#include <algorithm>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/config_reader.h"
#include "app/input_settings.h"
#include "app/output.h"
#include "app/settings.h"

namespace windlass::app {
namespace {

using testing::IsEmpty;

using Keys = std::set<std::string>;

std::string read_source(const std::string& name) {
  std::ifstream file(std::string(WINDLASS_SOURCE) + '/' + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) found.push_back((*at)[1]);
  return found;
}

/// A row of a table of keys, and the section that it stands in.
struct Row {
  std::string section;
  std::vector<std::string> keys;
  std::string defaults;
};

constexpr const char* without_effect = "Keys without effect";

std::vector<Row> documented() {
  std::vector<Row> rows;
  std::istringstream page(read_source("docs/configuration.md"));
  std::string section;
  bool of_keys = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) section = line.substr(3);
    if (!line.starts_with('|')) of_keys = false;
    if (line.starts_with("| key |")) of_keys = true;
    if (!of_keys || !line.starts_with("| `")) continue;
    const auto second = line.find(" | ");
    const auto third = line.find(" | ", second + 3);
    rows.push_back(
        {section, matches(line.substr(0, second), "`([^`]+)`"), line.substr(second + 3, third - second - 3)});
  }
  return rows;
}

/// The outputs that the heading of a section names.
std::vector<OutputType> outputs_of(const std::string& section) {
  std::vector<OutputType> types;
  for (const std::string& name : matches(section, "output\\.([a-z]+)")) {
    const OutputTraits* output = find_output(name);
    EXPECT_TRUE(output) << section;
    if (output) types.push_back(output->type);
  }
  return types;
}

const GeneralSetting* find_general(const std::string& key) {
  for (const GeneralSetting& setting : general_settings())
    if (setting.key == key) return &setting;
  return nullptr;
}

const InputSetting* find_input(const std::string& key) {
  for (const InputSetting& setting : input_settings())
    if (setting.key == key) return &setting;
  return nullptr;
}

bool has_effect(const OutputSetting& setting) {
  return setting.apply || setting.apply_entry;
}

std::string name_of(OutputType type) {
  return "output." + std::string(traits_of(type).in_file);
}

/// The least that a configuration has to say, with this output; `more` goes into its section.
std::string least(OutputType type, const std::string& more = {}) {
  std::string text = name_of(type) + ":\n";
  if (traits_of(type).hosts) text += "  hosts: [localhost]\n";
  if (type == OutputType::redis) text += "  key: windlass\n";
  if (type == OutputType::file) text += "  path: /var/lib/windlass/out\n";
  return text + (more.empty() ? "  enabled: true\n" : "  " + more + '\n');
}

Config read(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return read_config_text(text, "test.yml", {}, overrides);
}

/// Of each key of a row what the page says its default is; nothing where it says it in words.
std::vector<std::optional<std::string>> defaults_of(const Row& row) {
  static const std::set<std::string> words{"none",
                                           "none, needed",
                                           "the system's",
                                           "adapts",
                                           "the index's",
                                           "without end",
                                           "all",
                                           "true where `ssl` has anything",
                                           "true for `file`, else false",
                                           "a tenth of `max_size`, at most 64MiB",
                                           "`registry` in `path.data`"};
  if (words.contains(row.defaults)) return std::vector<std::optional<std::string>>(row.keys.size());
  std::vector<std::optional<std::string>> result;
  std::string rest = row.defaults;
  for (std::size_t i = 0; i < row.keys.size(); ++i) {
    const auto comma = row.keys.size() > 1 ? rest.find(", ") : std::string::npos;
    std::string text = rest.substr(0, comma);
    if (comma != std::string::npos) rest = rest.substr(comma + 2);
    text = text.starts_with('`') ? text.substr(1, text.find('`', 1) - 1) : text.substr(0, text.find_first_of("(;"));
    while (text.ends_with(' ')) text.pop_back();
    result.emplace_back(text);
  }
  return result;
}

TEST(ConfigurationPage, NamesNoKeyThatTheReaderDoesNotKnow) {
  Keys unknown;
  for (const Row& row : documented()) {
    for (const std::string& key : row.keys) {
      bool known = find_general(key) && (find_general(key)->apply || row.section == without_effect);
      if (row.section == without_effect) {
        known = known || find_input(key);
        for (const OutputTraits& output : outputs()) known = known || find_output_setting(output.type, key);
      } else if (row.section == "inputs") {
        known = known || (find_input(key) && find_input(key)->apply);
      }
      for (const OutputType type : outputs_of(row.section)) {
        const OutputSetting* setting = find_output_setting(type, key);
        known = known || (setting && has_effect(*setting));
      }
      if (!known) unknown.insert(row.section + ": " + key);
    }
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(ConfigurationPage, HasEachKeyThatTheReaderKnows) {
  std::map<std::string, Keys> by_section;
  std::map<OutputType, Keys> by_output;
  for (const Row& row : documented()) {
    by_section[row.section].insert(row.keys.begin(), row.keys.end());
    for (const OutputType type : outputs_of(row.section)) by_output[type].insert(row.keys.begin(), row.keys.end());
  }
  const Keys& idle = by_section[without_effect];
  Keys missing;
  for (const GeneralSetting& setting : general_settings()) {
    const std::string key(setting.key);
    const bool there =
        by_section["General"].contains(key) || by_section["inputs"].contains(key) || by_section["relay"].contains(key);
    if (setting.apply ? !there : !idle.contains(key)) missing.insert(key);
  }
  for (const InputSetting& setting : input_settings()) {
    const std::string key(setting.key);
    if (!(setting.apply ? by_section["inputs"] : idle).contains(key)) missing.insert("inputs: " + key);
  }
  for (const OutputTraits& output : outputs()) {
    for (const std::string_view name : output_setting_names(output.type)) {
      const std::string key(name);
      // What several outputs have stands with the first of them.
      const bool there = by_output[output.type].contains(key) || by_output[OutputType::lumberjack].contains(key) ||
                         (output.type == OutputType::http && by_output[OutputType::elasticsearch].contains(key)) ||
                         idle.contains(key);
      if (!there) missing.insert(name_of(output.type) + ": " + key);
    }
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(ConfigurationPage, SaysTheDefaultThatHolds) {
  const auto expect_default = [](const std::string& without, const std::string& with, const std::string& what) {
    SCOPED_TRACE(what);
    Config stated;
    ASSERT_NO_THROW(stated = read(with));
    EXPECT_TRUE(stated == read(without)) << "the default is another one";
  };
  for (const Row& row : documented()) {
    if (row.section == without_effect) continue;
    const auto defaults = defaults_of(row);
    for (std::size_t i = 0; i < row.keys.size(); ++i) {
      if (!defaults[i]) continue;
      const std::string setting = row.keys[i] + ": " + *defaults[i];
      const std::string yaml =
          row.keys[i] == "ssl.supported_protocols" ? row.keys[i] + ": [" + *defaults[i] + "]" : setting;
      for (const OutputType type : outputs_of(row.section)) {
        if (!find_output_setting(type, row.keys[i])) continue;
        const std::string tls = row.keys[i].starts_with("ssl.") ? "ssl.enabled: true\n  " : "";
        expect_default(least(type, tls + "enabled: true"), least(type, tls + yaml), name_of(type) + '.' + setting);
      }
      if (find_general(row.keys[i])) {
        const std::string base = least(OutputType::lumberjack) + "queue.disk.path: /var/lib/windlass/queue\n";
        expect_default(base, base + yaml + '\n', setting);
      } else if (row.section == "inputs") {
        const std::string base = least(OutputType::lumberjack) + "inputs:\n- paths: [/var/log/app.log]\n";
        expect_default(base, base + "  " + yaml + '\n', "inputs: " + setting);
      }
    }
  }
}

/// The file that is installed.
class ReferenceFile : public testing::Test {
 protected:
  const std::string text = read_source("windlass.reference.yml");

  static std::string enabled(OutputType type, bool is) { return name_of(type) + ".enabled=" + (is ? "true" : "false"); }
};

TEST_F(ReferenceFile, HasEachDocumentedKeyAndNoOther) {
  Keys expected;
  for (const Row& row : documented()) {
    if (row.section == without_effect) continue;
    for (const std::string& key : row.keys) {
      for (const OutputType type : outputs_of(row.section))
        if (find_output_setting(type, key)) expected.insert(name_of(type) + '.' + key);
      if (row.section == "inputs" && find_input(key))
        expected.insert("inputs." + key);
      else if (find_general(key))
        expected.insert(key);
    }
  }
  Keys found;
  std::string section;
  std::istringstream lines(text);
  const std::regex setting("^(  |- )?#?([a-z0-9_.]+):( .*)?$");
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (!std::regex_match(line, parts, setting)) continue;
    if (!parts[1].matched && !parts[3].matched) {
      section = parts[2].str() + '.';
      continue;
    }
    found.insert((parts[1].matched ? section : "") + parts[2].str());
  }
  Keys missing;
  std::ranges::set_difference(expected, found, std::inserter(missing, missing.end()));
  EXPECT_THAT(missing, IsEmpty());

  // An output may repeat what stands with another one.
  for (const OutputTraits& output : outputs())
    for (const std::string_view name : output_setting_names(output.type))
      if (has_effect(*find_output_setting(output.type, name)))
        expected.insert(name_of(output.type) + '.' + std::string(name));
  Keys surplus;
  std::ranges::set_difference(found, expected, std::inserter(surplus, surplus.end()));
  EXPECT_THAT(surplus, IsEmpty());
}

TEST_F(ReferenceFile, ChangesNothingWithAnyOutput) {
  for (const OutputTraits& output : outputs()) {
    SCOPED_TRACE(output.in_file);
    std::vector<std::string> overrides{enabled(OutputType::lumberjack, false), enabled(output.type, true)};
    if (output.type == OutputType::lumberjack) overrides.erase(overrides.begin());
    EXPECT_TRUE(read(text, overrides) == read(least(output.type)));
  }
}

TEST_F(ReferenceFile, ChangesNothingOfAnInput) {
  const std::string with_input = std::regex_replace(text, std::regex("(\n- type: file\n  enabled: )false"), "$1true");
  ASSERT_NE(with_input, text);
  const Config config = read(with_input);
  EXPECT_TRUE(config == read(least(OutputType::lumberjack) + "inputs: [{paths: [/var/log/app/*.log]}]\n"));
}

}  // namespace
}  // namespace windlass::app
