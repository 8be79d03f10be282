package import ClipModel
import Foundation

/// JSON as this module writes it: sorted keys, so that equal values are equal bytes.
package enum StageJSON {
    static func encode(_ value: some Encodable) throws(Failure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(value)) } catch {
            // Only numbers that are not finite cannot be written: a defect of the stage that made them.
            throw Failure(
                .poison, code: "result_unwritable", reason: "A stage made a result that cannot be written down.",
                hint: "Report this with the identifier of the job.")
        }
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws(Failure)
        -> Value
    {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw Failure(
                .poison, code: "result_unreadable",
                reason: "The result of an earlier stage cannot be read by this version.",
                hint: "Start the job again; if this repeats, the nodes run versions too far apart.")
        }
    }
}
