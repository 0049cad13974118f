# SPDX-License-Identifier: MIT
# words.rb SIZE IDLE REPORT: hashes, strings, regular expressions and sorting over the words on
# standard input, for the row real/ruby. Prints checksums, frees everything, idles for IDLE seconds
# and writes to REPORT how long that was and the RSS behind it.
abort 'words.rb: expected SIZE IDLE REPORT' if ARGV.length != 3
size, idle, report = ARGV

def work(words, turns)
  sum = 0
  (1..turns).each do |turn|
    records = words.map do |word|
      { word: "#{word}#{turn % 3}", length: word.length, parts: word.split(/[aeiou]/) }
    end
    text = records.map { |record| "#{record[:word]}:#{record[:parts].join('-')}" }.join(' ')
    sum += text.scan(/\b(\w+?)([aeiou]+)(\w*)\b/).length
    changed = text.gsub(/([b-d]+)(\w)/) { $2 + $1.upcase }
    sorted = records.sort_by { |record| [record[:length], record[:word]] }
    groups = records.group_by { |record| record[:word][0, 2] }
    sum += changed.length + sorted[turn][:length] + groups.length
  end
  sum
end

puts work($stdin.read.split("\n"), (15 * size.to_f).to_i + 1)
$stdout.flush
GC.start
start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
sleep idle.to_f
rss = File.read('/proc/self/status')[/^VmRSS:\s*(\d+)/, 1]
slept = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
File.write(report, format("{\"idle\": %.6f, \"rss_kib\": %d}\n", slept, rss.to_i))
