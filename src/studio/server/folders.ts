/** What a person may open, by its name and where it lies. */
export interface FolderEntry {
  readonly name: string;
  readonly path: string;
}

/** A folder, as somebody goes through it to find their pictures: browsers tell no page where a folder lies. */
export interface FolderListing {
  readonly path: string;
  /** Null at the top. */
  readonly parent: string | null;
  readonly folders: readonly FolderEntry[];
  /** Archives and files of arrays, which can be opened as well. */
  readonly archives: readonly FolderEntry[];
  /** Pictures that lie in it, not those in its folders. */
  readonly pictures: number;
  /** Where people keep pictures, as far as it is there. */
  readonly places: readonly FolderEntry[];
}
