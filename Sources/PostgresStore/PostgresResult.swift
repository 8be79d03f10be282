import CLibpq

/// One result of libpq. Owns it and clears it.
@safe struct PostgresResult: ~Copyable {
    private let handle: OpaquePointer

    /// Takes over `handle`, which must be a result nobody else clears.
    @unsafe init(_ handle: OpaquePointer) { unsafe self.handle = unsafe handle }

    // Sound: the result is ours alone and is not used after this.
    deinit { unsafe PQclear(handle) }

    /// Nil when the statement worked.
    var failure: PostgresFailure? {
        // Sound, here and below: the result is valid until `deinit`, and every string is copied.
        switch unsafe PQresultStatus(handle) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_PIPELINE_SYNC, PGRES_SINGLE_TUPLE: return nil
        // Never the first failure of a pipeline, so nobody sees this text.
        case PGRES_PIPELINE_ABORTED: return PostgresFailure(.conflict, "skipped after an earlier failure")
        default:
            let message = unsafe field(.message) ?? String(cString: PQresultErrorMessage(handle))
            let detail = [message, field(.detail)].compactMap(\.self).joined(separator: ": ")
            guard let state = field(.sqlState) else { return PostgresFailure(.connectionLost, detail) }
            return PostgresFailure(sqlState: state, message: detail)
        }
    }

    var rows: Rows {
        // Sound: rows and columns are asked for inside the bounds that libpq gives.
        unsafe Rows(
            columns: columns, cells: cells, count: Int(PQntuples(handle)),
            affected: Int(String(cString: PQcmdTuples(handle))) ?? 0)
    }

    private var columns: [String: Int] {
        var columns: [String: Int] = [:]
        for column in 0..<(unsafe PQnfields(handle)) {
            // Sound: `column` is below the number of fields.
            if let name = unsafe PQfname(handle, column) { columns[unsafe String(cString: name)] = Int(column) }
        }
        return columns
    }

    private var cells: [String?] {
        let (rows, fields) = unsafe (PQntuples(handle), PQnfields(handle))
        var cells: [String?] = []
        cells.reserveCapacity(Int(rows) * Int(fields))
        for row in 0..<rows {
            for field in 0..<fields {
                // Sound: `row` and `field` are inside the bounds; the value is zero-terminated text.
                let isNull = unsafe PQgetisnull(handle, row, field) != 0
                unsafe cells.append(isNull ? nil : String(cString: PQgetvalue(handle, row, field)))
            }
        }
        return cells
    }

    /// The fields of an error that we read, by the codes of libpq's `PG_DIAG_` macros, which Swift does not see.
    private enum Field: UInt8 {
        case sqlState = 0x43
        case message = 0x4D
        case detail = 0x44
    }

    private func field(_ field: Field) -> String? {
        // Sound: as above; a field that is missing is null.
        guard let text = unsafe PQresultErrorField(handle, Int32(field.rawValue)) else { return nil }
        return unsafe String(cString: text)
    }
}
